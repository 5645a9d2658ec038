import { messageOf, PmanError } from '../../errors.ts';
import { forgetTries } from '../../transfer/partial.ts';
import { PurlFailure } from '../failure.ts';
import { silentProgress } from '../progressBar.ts';
import type { Remote } from '../remoteCheck.ts';
import type { TransferMessage } from '../transferMessage.ts';
import { type Done, isFileMode, type TransferOptions } from '../transferOptions.ts';
import { openKeptPull, pullId } from './keptPull.ts';
import {
  askingForPack,
  comesPacked,
  offsetHeaders,
  openKeptPack,
  packStart,
  storePack,
} from './packPull.ts';
import { decodePull, pulledBytes } from './pulledBytes.ts';
import { pullForm } from './pullForm.ts';
import { askPull, pullUrl } from './pullRequest.ts';
import { pullSummary } from './pullSummary.ts';
import { storePull } from './storePull.ts';

/**
 * Pulls a file or folder into the local folder, which exists: the way of a pull through purl.
 * @throws PurlFailure, PmanError; nothing has changed locally then
 */
export async function receivePull(
  message: TransferMessage,
  { peer, isFolder }: Remote,
  options: TransferOptions,
): Promise<Done> {
  const fileMode = isFileMode(message, options, peer.kind);
  const form = pullForm(message, fileMode, isFolder);
  const { progress } = options;
  const isPack = comesPacked(message, form, peer, options.resume);
  const asked = isPack ? askingForPack(message) : message;
  const url = pullUrl(asked, peer, fileMode);
  const goesOn = options.resume && peer.kind === 'own';
  const pack = goesOn && isPack ? await openKeptPack(message, peer) : undefined;
  const kept = goesOn && !isPack ? await openKeptPull(url, message, peer) : undefined;
  let isWhole = false;
  const forget = () => forgetTries(message.localPath, pullId(message, peer, []));
  try {
    const { answer, start, check } = await askPull(url, peer, kept, offsetHeaders(pack));
    const packAt = isPack ? packStart(answer) : undefined;
    progress.start(Number(answer.headers['pfioh-bytes'] ?? 0) || undefined, packAt ?? start);
    let arriving = pulledBytes(answer, peer);
    let onBytes = progress.add.bind(progress);
    if (packAt !== undefined) {
      const { onFailed } = options;
      const how = { ...form, peer, check, onBytes, partial: pack, start: packAt, onFailed };
      const stored = await storePack(arriving, answer, message, how);
      forget();
      return pullSummary(message, form, stored);
    }
    if (kept !== undefined) {
      await kept.partial.append(arriving, start, onBytes);
      isWhole = true;
      arriving = kept.partial.read();
      onBytes = silentProgress.add;
    }
    const content = form.isBase64 ? decodePull(arriving) : arriving;
    const stored = await storePull(content, answer, message, { ...form, peer, check, onBytes });
    forget();
    return pullSummary(message, form, stored);
  } catch (error) {
    if (error instanceof PurlFailure || error instanceof PmanError) throw error;
    throw new PurlFailure('partial', `${peer.url.host} broke off: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    progress.stop();
    await kept?.partial.close({ done: isWhole });
    // A pack that came has let go of it.
    await pack?.close({ done: false });
  }
}
