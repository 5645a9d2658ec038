import { formatPythonLiteral } from '../transfer/pythonLiteral.ts';
import type { ClientOptions } from './http/httpClient.ts';
import type { TransferMessage } from './transferMessage.ts';

/** How to reach a server. */
export interface Way {
  readonly url: URL;
  readonly client: ClientOptions;
  readonly signal: AbortSignal | undefined;
}

/** The pfioh on the other side. */
export interface Peer extends Way {
  readonly kind: 'own' | 'python1' | 'python2';
}

/** Where a request about a transfer goes: the meta as a Python literal in the query. */
export function transferUrl(url: URL, message: TransferMessage, transport: object): URL {
  const target = new URL(url);
  const meta = formatPythonLiteral({ ...message.meta, transport });
  target.search = new URLSearchParams({ action: message.action, meta }).toString();
  return target;
}
