import type { Remote } from '../remoteCheck.ts';
import type { TransferMessage } from '../transferMessage.ts';
import { type Done, isFileMode, type TransferOptions } from '../transferOptions.ts';
import { postPush } from './postPush.ts';
import { checkPushAnswer } from './pushAnswer.ts';
import { pushFields, pushNames } from './pushFields.ts';
import { planPush, pushId } from './pushPlan.ts';
import { pushSummary } from './pushSummary.ts';

/**
 * Pushes a file or folder to a pfioh that is ready for it: the way of a push through purl.
 * @throws PurlFailure, PmanError
 */
export async function sendPush(
  message: TransferMessage,
  { peer, offset, plan: planned }: Remote,
  options: TransferOptions,
): Promise<Done> {
  const { jsonwrapper, progress, raw } = options;
  const fileMode = isFileMode(message, options, peer.kind);
  // A plan that was made for our own pfioh may be none for this one.
  const plan =
    peer.kind === 'own' && planned !== undefined ? planned : await planPush(message, fileMode);
  const goesOn = options.resume && peer.kind === 'own';
  const resume = goesOn ? { id: pushId(message, plan), offset } : undefined;
  const names = pushNames(plan);
  const wording = { isFileMode: fileMode, jsonwrapper, resume };
  const before = pushFields(message, plan, names.form, wording);
  progress.start(plan.workBytes, plan.archive ? 0 : resume?.offset);
  try {
    const posted = await postPush(plan, peer, {
      before,
      filename: names.form,
      isFileMode: fileMode,
      offset: resume?.offset ?? 0,
      progress,
    });
    checkPushAnswer(posted, peer.url.host);
    return pushSummary(plan, names.zip, posted, raw);
  } finally {
    progress.stop();
  }
}
