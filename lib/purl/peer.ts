import type { IncomingMessage } from 'node:http';
import { parseJsonOrUndefined } from '../transfer/jsonText.ts';
import { formatPythonLiteral } from '../transfer/pythonLiteral.ts';
import { sizeText, timestamp } from '../transfer/report.ts';
import { PurlFailure } from './failure.ts';
import { type ClientOptions, readText, send } from './http.ts';
import type { TransferMessage } from './transferMessage.ts';

/** The pfioh on the other side. */
export interface Peer {
  readonly kind: 'own' | 'python1' | 'python2';
  readonly url: URL;
  readonly client: ClientOptions;
  readonly signal: AbortSignal | undefined;
}

/** Where a request about a transfer goes: the meta as a Python literal in the query. */
export function transferUrl(url: URL, message: TransferMessage, transport: object): URL {
  const target = new URL(url);
  const meta = formatPythonLiteral({ ...message.meta, transport });
  target.search = new URLSearchParams({ action: message.action, meta }).toString();
  return target;
}

export interface RemoteCheck {
  readonly report: Readonly<Record<string, unknown>> & { readonly status: boolean };
  readonly peer: Peer;
  readonly isFolder: boolean;
  /** How much of this push arrived in an earlier try. */
  readonly offset: number;
}

/**
 * Asks a pfioh about the remote path, and finds out which pfioh it is.
 * @throws PurlFailure when there is no pfioh
 */
export async function checkRemote(
  message: TransferMessage,
  way: Omit<Peer, 'kind'>,
  resumeId?: string,
): Promise<RemoteCheck> {
  const asked = {
    ...message.transport,
    ...(resumeId === undefined ? {} : { resume: { id: resumeId } }),
    ...(message.verb === 'pull' ? { createDirs: false } : {}),
    checkRemote: true,
  };
  const url = transferUrl(way.url, message, asked);
  const answer = await send({ method: 'GET', url, oldPeer: true, signal: way.signal }, way.client);
  const text = await readText(answer);
  const response = parseJsonOrUndefined(text);
  if (answer.statusCode === 401) {
    const why = isReport(response, answer) ? String(response.msg) : 'it wants a valid token';
    throw new PurlFailure('refused', `${way.url.host} refused the request: ${why} (--authToken)`);
  }
  if (isPman(response)) {
    throw new PurlFailure('badAnswer', `${way.url.host} is a pman and no pfioh`);
  }
  if (!isReport(response, answer)) {
    const what = text.slice(0, 60).replaceAll(/\s+/g, ' ');
    throw new PurlFailure(
      'badAnswer',
      `${way.url.host} is no pfioh: it answered ${answer.statusCode ?? 0} ${JSON.stringify(what)}`,
    );
  }
  // A Python pfioh may make the folder of a pull: it was not there, so there is nothing to pull.
  const status = response.status && !(message.verb === 'pull' && response.createdNewDir === true);
  const refusal =
    typeof response.msg === 'string' ? response.msg : 'The remote path spec is invalid!';
  return {
    report: {
      status,
      msg: status ? 'Check on remote path successful.' : refusal,
      response,
      timestamp: timestamp(),
      size: sizeText(text.length),
    },
    peer: { ...way, kind: kindOf(answer, response) },
    isFolder: response.isdir === true,
    offset: Number(answer.headers['pfioh-offset'] ?? 0),
  };
}

type Report = Record<string, unknown> & { readonly status: boolean };

/** A report on a path; our own pfioh's may be a refusal without one. */
function isReport(value: unknown, { headers }: IncomingMessage): value is Report {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    typeof value.status === 'boolean' &&
    ('isdir' in value || headers['pfioh-version'] !== undefined)
  );
}

function isPman(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'RESTverb' in value;
}

function kindOf({ headers }: IncomingMessage, response: Report): Peer['kind'] {
  if (headers['pfioh-version'] !== undefined) return 'own';
  return 'isswiftstore' in response || 'createdNewDir' in response ? 'python2' : 'python1';
}
