import { openPartial, type Partial } from '../../transfer/partial.ts';
import { transferId } from '../../transfer/partialNames.ts';
import { send } from '../http/httpClient.ts';
import { forPeer, type Peer } from '../peer.ts';
import type { TransferMessage } from '../transferMessage.ts';

/** What of a pull is here already, and the name of the content that it is a part of. */
export interface KeptPull {
  readonly etag: string;
  readonly partial: Partial;
}

/** The name of a pull from this place: the same for the same content, and for any its beginning. */
export function pullId(
  { remotePath, remoteKey }: TransferMessage,
  { url }: Peer,
  content: readonly unknown[],
): string {
  return transferId([url.href, remotePath, remoteKey], content);
}

/**
 * Finds out what the server would send now, and what of exactly that is here already; undefined when it does not
 * name its content.
 * @throws PurlFailure, PmanError
 */
export async function openKeptPull(
  url: URL,
  message: TransferMessage,
  peer: Peer,
): Promise<KeptPull | undefined> {
  const head = await send({ ...forPeer(peer), method: 'HEAD', url }, peer.client);
  head.resume();
  const { etag } = head.headers;
  if (etag === undefined) return undefined;
  return { etag, partial: await openPartial(message.localPath, pullId(message, peer, [etag])) };
}
