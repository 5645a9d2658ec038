import type { SendPlan } from '../../transfer/send.ts';
import type { Peer } from '../peer.ts';
import type { Remote } from '../remoteCheck.ts';
import type { TransferMessage } from '../transferMessage.ts';
import { type Done, isFileMode, type TransferOptions } from '../transferOptions.ts';
import { postPush } from './postPush.ts';
import { checkPushAnswer } from './pushAnswer.ts';
import { pushFields, pushNames } from './pushFields.ts';
import { archiveOfPush, type PushArchive, planPush, pushId } from './pushPlan.ts';
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
  const fileMode = isFileMode(message, options, peer.kind);
  // A plan that was made for our own pfioh may be none for this one.
  const plan =
    peer.kind === 'own' && planned !== undefined ? planned : await planPush(message, fileMode);
  const goesOn = options.resume && peer.kind === 'own';
  // What has arrived in an earlier try was asked for before it was known what the other side takes.
  const archive = goesOn ? 'zip' : archiveOfPush(message, plan, peer, fileMode);
  const arrived = goesOn ? offset : undefined;
  return sendPlan(message, plan, peer, { offset: arrived, archive, fileMode, options });
}

/** How what was planned is sent; `offset`: what is there already, undefined when nothing is kept of a push that breaks off. */
export interface PlannedPush {
  readonly offset: number | undefined;
  readonly archive: PushArchive;
  readonly fileMode: boolean;
  readonly options: Pick<TransferOptions, 'jsonwrapper' | 'progress' | 'raw'>;
}

/** Pushes what was planned. @throws PurlFailure, PmanError */
export async function sendPlan(
  message: TransferMessage,
  plan: SendPlan,
  peer: Peer,
  { offset, archive, fileMode, options: { jsonwrapper, progress, raw } }: PlannedPush,
): Promise<Done> {
  const resume = offset === undefined ? undefined : { id: pushId(message, plan, archive), offset };
  const names = pushNames(plan);
  const wording = { isFileMode: fileMode, jsonwrapper, resume, archive };
  const before = pushFields(message, plan, names.form, wording);
  progress.start(plan.workBytes, plan.archive ? 0 : offset);
  try {
    const posted = await postPush(plan, peer, {
      before,
      filename: names.form,
      isFileMode: fileMode,
      offset: offset ?? 0,
      archive,
      progress,
    });
    checkPushAnswer(posted, peer.url.host);
    return pushSummary(plan, names.zip, posted, raw);
  } finally {
    progress.stop();
  }
}
