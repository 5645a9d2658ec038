import { createHash } from 'node:crypto';
import { openPartial, type Partial } from '../../transfer/partial.ts';
import { send } from '../http/httpClient.ts';
import { forPeer, type Peer } from '../peer.ts';
import type { TransferMessage } from '../transferMessage.ts';

/** What of a pull is here already, and the name of the content that it is a part of. */
export interface KeptPull {
  readonly etag: string;
  readonly partial: Partial;
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
  const what = JSON.stringify([peer.url.href, message.remotePath, message.remoteKey, etag]);
  const id = createHash('sha256').update(what).digest('hex').slice(0, 32);
  return { etag, partial: await openPartial(message.localPath, id) };
}
