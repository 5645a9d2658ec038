import { type Check, SHA256, startCheck } from '../contentCheck.ts';
import type { Sending, SendPlan } from '../send.ts';
import { sendPack } from './packWriter.ts';

/**
 * What a plan brings, as a pack from an offset on; the same bytes each time as long as nothing changes. `onBytes` hears
 * how the work gets on, up to `workBytes`: everything is read from its start again, whatever the offset.
 */
export function startPack(
  { entries, count, patches, workBytes, goesOn }: SendPlan,
  offset = 0,
  onBytes?: (bytes: number) => void,
  check: Check = SHA256,
): Omit<Sending, 'stream'> {
  const digester = startCheck(check);
  let bytes = 0;
  let digest: string | undefined;
  return {
    get bytes() {
      return bytes;
    },
    digest: () => {
      digest ??= digester.digest('hex');
      return digest;
    },
    async sendTo(out) {
      const source = { entries: entries(), count, patches, bytes: workBytes, goesOn };
      bytes = await sendPack(source, out, { digester, skip: offset, onRead: onBytes });
    },
  };
}
