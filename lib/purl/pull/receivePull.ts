import { messageOf, PmanError } from '../../errors.ts';
import { PurlFailure } from '../failure.ts';
import { silentProgress } from '../progressBar.ts';
import type { Remote } from '../remoteCheck.ts';
import type { TransferMessage } from '../transferMessage.ts';
import { type Done, isFileMode, type TransferOptions } from '../transferOptions.ts';
import { openKeptPull } from './keptPull.ts';
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
  const url = pullUrl(message, peer, fileMode);
  const kept =
    options.resume && peer.kind === 'own' ? await openKeptPull(url, message, peer) : undefined;
  let isWhole = false;
  try {
    const { answer, start, check } = await askPull(url, peer, kept);
    progress.start(Number(answer.headers['pfioh-bytes'] ?? 0) || undefined, start);
    let arriving = pulledBytes(answer, peer);
    let onBytes = progress.add.bind(progress);
    if (kept !== undefined) {
      await kept.partial.append(arriving, start, onBytes);
      isWhole = true;
      arriving = kept.partial.read();
      onBytes = silentProgress.add;
    }
    const content = form.isBase64 ? decodePull(arriving) : arriving;
    const stored = await storePull(content, answer, message, { ...form, peer, check, onBytes });
    return pullSummary(message, form, stored);
  } catch (error) {
    if (error instanceof PurlFailure || error instanceof PmanError) throw error;
    throw new PurlFailure('partial', `${peer.url.host} broke off: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    progress.stop();
    await kept?.partial.close({ done: isWhole });
  }
}
