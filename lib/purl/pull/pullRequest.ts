import type { IncomingMessage } from 'node:http';
import { CHECK_HEADER, type Check, SHA256 } from '../../transfer/contentCheck.ts';
import { parseJsonOrUndefined } from '../../transfer/jsonText.ts';
import { FAILURES_HEADER, TOLD } from '../../transfer/toldFailure.ts';
import { PurlFailure } from '../failure.ts';
import { readText, send } from '../http/httpClient.ts';
import { checkHeaders, forPeer, newCheck, type Peer, transferUrl } from '../peer.ts';
import type { TransferMessage } from '../transferMessage.ts';
import type { KeptPull } from './keptPull.ts';

/** What is asked for in a pull. */
export function pullUrl(message: TransferMessage, { url }: Peer, isFileMode: boolean): URL {
  const { transport, compress, encoding } = message;
  // The later protocol knows no base64, whatever the message says; the earlier one encodes when nothing is said.
  const isSaid = !('compress' in transport) || compress.encoding !== undefined;
  const asked =
    isSaid && (!isFileMode || encoding === 'none')
      ? transport
      : { ...transport, compress: { ...compress, encoding: 'none' } };
  return transferUrl(url, message, { ...asked, checkRemote: false });
}

export interface AskedPull {
  readonly answer: IncomingMessage;
  /** The byte that it starts at. */
  readonly start: number;
  readonly check: Check;
}

/**
 * Asks for what is not here yet. `more`: headers.
 * @throws PurlFailure when the server refuses
 */
export async function askPull(
  url: URL,
  peer: Peer,
  kept: KeptPull | undefined,
  more: [string, string][] = [],
): Promise<AskedPull> {
  const offset = kept?.partial.bytes ?? 0;
  const how = forPeer(peer);
  const check = newCheck(peer);
  const told: [string, string][] = peer.kind === 'own' ? [[FAILURES_HEADER, TOLD]] : [];
  const common = [...how.headers, ...checkHeaders(check), ...told, ...more];
  const headers: [string, string][] =
    kept === undefined || offset === 0
      ? common
      : [...common, ['Range', `bytes=${offset}-`], ['If-Range', kept.etag]];
  const bulk = peer.kind === 'own';
  const answer = await send({ ...how, method: 'GET', url, headers, bulk }, peer.client);
  const status = answer.statusCode ?? 0;
  if (status < 400) {
    const isAgreed = answer.headers[CHECK_HEADER.toLowerCase()] === check.name;
    return { answer, start: status === 206 ? offset : 0, check: isAgreed ? check : SHA256 };
  }
  const said = parseJsonOrUndefined(await readText(answer));
  const msg =
    typeof said === 'object' && said !== null && 'msg' in said ? String(said.msg) : undefined;
  throw new PurlFailure(
    status === 409 ? 'changed' : 'transfer',
    `${peer.url.host} refused the pull: ${msg ?? `${status} ${answer.statusMessage}`}`,
  );
}
