import { agreedCheck, CHECK_HEADER, type Check, checkText } from '../transfer/contentCheck.ts';
import { formatPythonLiteral } from '../transfer/pythonLiteral.ts';
import type { ClientOptions } from './http/httpClient.ts';
import type { TransferMessage } from './transferMessage.ts';

/** How to reach a server. */
export interface Way {
  readonly url: URL;
  readonly client: ClientOptions;
  readonly signal: AbortSignal | undefined;
  /** Whether a server that cannot say that it is at work may take its time. */
  readonly patient?: boolean;
}

/** The pfioh on the other side. */
export interface Peer extends Way {
  readonly kind: 'own' | 'python1' | 'python2';
  /** The checks beside SHA-256 that it says it knows. */
  readonly checks?: string | undefined;
  /** The archives beside zip that it says it knows. */
  readonly archives?: string | undefined;
}

/**
 * What of a request about a transfer depends on the server: our own pfioh says that it is still at work (102) when it
 * is asked to, a Python pfioh makes an archive, or unpacks one, without a word.
 */
export function forPeer({ kind, client, signal, patient = false }: Peer) {
  const everyMs = Math.ceil(client.idleTimeoutMs / 3);
  const headers: [string, string][] =
    kind === 'own' && everyMs > 0 ? [['Pfioh-Alive-Ms', String(everyMs)]] : [];
  return { headers, signal, oldPeer: kind !== 'own', patient: patient && kind !== 'own' };
}

/** How one transfer with it is checked: with a key of its own. */
export function newCheck({ checks }: Peer): Check {
  return agreedCheck(checks);
}

/** How a transfer asks for its check. */
export function checkHeaders(check: Check): [string, string][] {
  const text = checkText(check);
  return text === undefined ? [] : [[CHECK_HEADER, text]];
}

/** Where a request about a transfer goes: the meta as a Python literal in the query. */
export function transferUrl(url: URL, message: TransferMessage, transport: object): URL {
  const target = new URL(url);
  const meta = formatPythonLiteral({ ...message.meta, transport });
  target.search = new URLSearchParams({ action: message.action, meta }).toString();
  return target;
}
