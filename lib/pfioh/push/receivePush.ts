import type { Readable } from 'node:stream';
import { PmanError } from '../../errors.ts';
import { OpenFolder } from '../../transfer/openFolder.ts';
import { openPartial, type Partial } from '../../transfer/partial.ts';
import { type JsonObject, ReportedError } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { finishPush, holdOwnFolder, isPlugin, noHandling } from '../plugin.ts';
import { decodePush } from './decodePush.ts';
import { pushReport } from './pushReport.ts';
import { isPack, type Push } from './pushRequest.ts';
import { type PushTarget, pushTarget } from './pushTarget.ts';
import { storePush } from './storePush.ts';

/**
 * Takes a pushed file or archive in and reports it: the way of a push through this server. Nothing changes at
 * the destination before everything has arrived and, when the sender states it, the checksum is right.
 * @throws PmanError
 */
export async function receivePush(
  content: Readable,
  push: Push,
  context: RequestContext,
): Promise<JsonObject> {
  let partial: Partial | undefined;
  let held: OpenFolder | undefined;
  try {
    const target = pushTarget(push, context);
    // In a store a link may take the place of the folder, or of one above it, while the content arrives.
    held =
      target.folder === target.place
        ? OpenFolder.at(target.folder, context.places.base)
        : holdOwnFolder(target.folder, context.places);
    const place = { ...target, folder: held.itself };
    // A pack is unpacked while it comes.
    partial = isPack(push) ? undefined : await keepForResume(content, push, place);
    const decoded = decodePush(partial?.read() ?? content, push.encoding);
    const stored = await storePush(decoded, push, place, context);
    context.note({ what: 'push', where: target.place, bytes: stored.bytes });
    const plugin = isPlugin(push.meta);
    const handled = plugin ? finishPush(target.place, context.places) : noHandling();
    return pushReport(push, target, stored, plugin || push.isFileMode ? handled : undefined);
  } catch (failure) {
    const error = held?.said(failure) ?? failure;
    // pfioh 1.6.2 says so when what came as base64 cannot be stored.
    if (push.encoding !== 'base64' || !(error instanceof PmanError)) throw error;
    const msg = context.places.withoutBase(error.message);
    throw new ReportedError(error, { decode: { status: false, msg } });
  } finally {
    // It has arrived as a whole: nothing is gained by keeping it, what failed fails again.
    await partial?.close({ done: true });
    held?.close();
  }
}

/** With `resume` everything is taken up beside its place first: what has arrived stays when it breaks off. */
async function keepForResume(
  content: Readable,
  { meta, all }: Push,
  { folder }: PushTarget,
): Promise<Partial | undefined> {
  const resume = meta.transport?.resume;
  if (resume === undefined) return undefined;
  const partial = await openPartial(folder, resume.id);
  try {
    await partial.append(content, resume.offset ?? 0);
    await all;
    return partial;
  } catch (error) {
    await partial.close({ done: false });
    throw error;
  }
}
