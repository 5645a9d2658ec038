import { createHash } from 'node:crypto';
import { planSending, type SendPlan } from '../../transfer/send.ts';
import type { TransferMessage } from '../transferMessage.ts';

/** What a push sends. @throws PmanError */
export function planPush(message: TransferMessage, isFileMode: boolean): Promise<SendPlan> {
  return planSending(message.localPath, {
    archive: message.archive || isFileMode,
    encoding: isFileMode ? 'none' : message.encoding,
    contentOnly: isFileMode,
  });
}

/** The name of a push for `--resume`: the same for the same content, place and form. */
export function pushId(message: TransferMessage, plan: SendPlan): string {
  const what = [plan.path, plan.tag, message.remotePath, message.remoteKey];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}
