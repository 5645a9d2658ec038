import { takesPacks } from '../../transfer/pack/agreed.ts';
import { transferId } from '../../transfer/partialNames.ts';
import { planSending, type SendPlan } from '../../transfer/send.ts';
import type { Peer } from '../peer.ts';
import type { TransferMessage } from '../transferMessage.ts';

/** What a push sends. @throws PmanError */
export function planPush(message: TransferMessage, isFileMode: boolean): Promise<SendPlan> {
  return planSending(message.localPath, {
    archive: message.archive || isFileMode,
    encoding: isFileMode ? 'none' : message.encoding,
    contentOnly: isFileMode,
  });
}

/** The archive that a push comes as. */
export type PushArchive = 'zip' | 'pack';

/** The quickest archive that the other side takes: a pack where it unpacks what comes. */
export function archiveOfPush(
  message: TransferMessage,
  plan: SendPlan,
  { kind, archives }: Peer,
  isFileMode: boolean,
): PushArchive {
  const unpacks = message.compress.unpack ?? isFileMode;
  const isFit = plan.archive && plan.encoding === 'none' && unpacks === true;
  return isFit && kind === 'own' && takesPacks(archives) ? 'pack' : 'zip';
}

/** The name of a push for `--resume`: the same for the same content, place and form. */
export function pushId(
  message: TransferMessage,
  plan: SendPlan,
  archive: PushArchive = 'zip',
): string {
  const patches = [...(plan.patches ?? [])].map(([name, { parts }]) => [name, parts]);
  const form = archive === 'zip' ? [] : [archive, ...patches];
  const place = [plan.path, message.remotePath, message.remoteKey];
  return transferId(place, [plan.tag, ...form]);
}
