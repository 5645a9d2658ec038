import type { ServerResponse } from 'node:http';
import { readableStamp } from '../host/stamps.ts';
import { answerJson, type JsonObject, refusal } from './answer.ts';
import type { RequestContext } from './context.ts';
import { type CopyKind, type CopyOptions, copyKind, copyLocally } from './copy.ts';
import type { Places } from './places.ts';

export interface CopyRequest {
  readonly verb: 'push' | 'pull';
  readonly from: Place | undefined;
  readonly to: Place | undefined;
  readonly symlink: boolean;
}

interface Place {
  readonly path?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Copies or links on this machine and answers with the original's report, also when the copy failed.
 * @throws PmanError when the places cannot be understood or are not open to clients
 */
export async function answerCopy(
  response: ServerResponse,
  { places, note }: Pick<RequestContext, 'places' | 'note'>,
  request: CopyRequest,
): Promise<void> {
  const { verb, symlink } = request;
  const [near, far] =
    verb === 'pull' ? ['meta.remote', 'meta.local'] : ['meta.local', 'meta.remote'];
  const options: CopyOptions = {
    from: places.resolve(request.from, near),
    to: places.resolve(request.to, far),
    symlink,
    within: places.base,
  };
  note({ what: symlink ? 'link' : 'copy', where: options.to });
  const kind = copyKind(options);
  const failed = await failureOf(copyLocally(options), places);
  const said = failed?.said ?? { status: true };
  const ends = {
    source: request.from?.path ?? options.from,
    destination: request.to?.path ?? options.to,
  };
  answerJson(response, report(said, ends, kind, request, failed === undefined), failed?.status);
}

/** The original's two verbs name the same facts in another order. */
function report(
  said: JsonObject,
  ends: { readonly source: string; readonly destination: string },
  kind: CopyKind,
  { verb, symlink }: CopyRequest,
  done: boolean,
): JsonObject {
  const time = { timestamp: readableStamp(Date.now()) };
  if (verb === 'pull') return { ...said, ...ends, ...kind, symlink: symlink && done, ...time };
  if (!symlink) return { ...said, ...kind, ...ends, ...time };
  const command = `ln -s ${ends.source} ${ends.destination}`;
  return { ...said, symlink: command, ...ends, ...kind, ...time };
}

async function failureOf(work: Promise<void>, places: Places) {
  try {
    await work;
    return undefined;
  } catch (error) {
    return refusal(error, places);
  }
}
