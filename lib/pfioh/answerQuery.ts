import type { IncomingMessage, ServerResponse } from 'node:http';
import { BadRequestError } from '../errors.ts';
import { CHECKS_HEADER, knowsPoly1305 } from '../transfer/contentCheck.ts';
import { ARCHIVES_HEADER, PACK, PATCH } from '../transfer/pack/agreed.ts';
import { partialBytes } from '../transfer/partial.ts';
import { answerJson } from './answer.ts';
import { answerCopy } from './answerCopy.ts';
import { checkedPath, checkRemote } from './check.ts';
import type { Handled, RequestContext } from './context.ts';
import { parseMetaText, type TransferMeta } from './meta.ts';
import { sendPull } from './pull/sendPull.ts';

/** Answers a GET or HEAD: the check of a path, a copy that this server makes, or a pull. @throws PmanError */
export async function answerQuery(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
): Promise<Handled> {
  const query = queryOf(request.url ?? '');
  const meta = metaOf(query);
  const { transport, remote, local } = meta;
  const where = remote?.path ?? remote?.key;
  if (transport?.checkRemote === true) {
    context.permit('checkRemote', where);
    answerCheck(response, meta, /pull/i.test(query.get('action') ?? ''), context);
    return 'message';
  }
  if (transport?.compress === undefined && transport?.copy !== undefined) {
    const symlink = transport.copy.symlink ?? false;
    context.permit('copy', where);
    await answerCopy(response, context, { verb: 'pull', from: remote, to: local, symlink });
    return 'transfer';
  }
  context.permit('pull', where);
  await sendPull(request, response, meta, context);
  return request.method === 'HEAD' ? 'message' : 'transfer';
}

/** The path before it does not matter, and may be none. */
function queryOf(target: string): URLSearchParams {
  const start = target.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : target.slice(start));
}

function metaOf(query: URLSearchParams): TransferMeta {
  // Of a member that is named twice the last counts, as in a Python dictionary.
  const text = query.getAll('meta').at(-1);
  if (text !== undefined) return parseMetaText(text);
  throw new BadRequestError('the request has no meta', {
    hint: 'this is pfioh: pull with purl --msg, see purl --man pullPath',
  });
}

function answerCheck(
  response: ServerResponse,
  { transport, remote }: TransferMeta,
  isPull: boolean,
  { places, createDirs }: RequestContext,
): void {
  const path = checkedPath(() => places.resolve(remote));
  if (transport?.resume !== undefined) {
    response.setHeader('Pfioh-Offset', partialBytes(path, transport.resume.id));
  }
  // A pull must not make what it asks for; that it makes a key's folder is what the clients of pfioh 3 saw.
  const mayCreate = transport?.createDirs ?? (!isPull || remote?.key !== undefined);
  if (knowsPoly1305()) response.setHeader(CHECKS_HEADER, 'poly1305');
  response.setHeader(ARCHIVES_HEADER, `${PACK}, ${PATCH}`);
  answerJson(response, checkRemote(path, createDirs && mayCreate, places.base));
}
