/** purl as a module: `import { push, pull, send } from 'pman/purl'`. */
import { certificatesOf } from '../purl/certificates.ts';
import { PurlFailure } from '../purl/failure.ts';
import type { ClientOptions } from '../purl/http/httpClient.ts';
import { parseTarget, zonesOf } from '../purl/http/target.ts';
import { parseMessage } from '../purl/jsonMessage.ts';
import { type Progress, silentProgress } from '../purl/progressBar.ts';
import { type Outcome, talk } from '../purl/talk.ts';
import { parseTransfer } from '../purl/transferMessage.ts';
import { transferPath } from '../purl/transferPath.ts';
import { VERSION } from '../version.ts';

export { UsageError } from '../errors.ts';
export type { FailureKind } from '../purl/failure.ts';
export { type Progress, PurlFailure };

/** A server, and how it is reached. */
export interface PurlOptions {
  /** `host:port/path`, also with `http://` or `https://` before it. */
  readonly url: string;
  /** Sent as `Authorization: bearer`. */
  readonly token?: string;
  /** A file with the certificates of authorities that are trusted (PEM); default: those of Node. */
  readonly cacert?: string;
  /** The files of the client's own certificate and its key (PEM). */
  readonly cert?: string;
  readonly key?: string;
  /** Trusts any certificate. */
  readonly insecure?: boolean;
  /** How often a connection that fails is tried again. Default: 2. */
  readonly retries?: number;
  /** How long a connection may take to stand, in milliseconds. Default: 30,000. */
  readonly connectTimeoutMs?: number;
  /** How long nothing may move, in milliseconds; 0: for ever. Default: 60,000 for files, for ever for a message. */
  readonly idleTimeoutMs?: number;
  /** Breaks it off. */
  readonly signal?: AbortSignal;
}

export interface TransferRequest extends PurlOptions {
  /** A file or folder here; the folder to put it into, for a pull. */
  readonly local: string;
  /** A file or folder there, or the key of one. */
  readonly remote: string | { readonly key: string };
  /** `zip` (default): one archive, which a folder needs; `none`: one file as it is. */
  readonly archive?: 'zip' | 'none';
  /** Whether the archive is unpacked at its end. Default: true. */
  readonly unpack?: boolean;
  /** Makes the local folder of a pull. */
  readonly createDir?: boolean;
  /** Goes on with an earlier pull that was broken off. */
  readonly resume?: boolean;
  /** Is told how it gets on. */
  readonly progress?: Progress;
}

/** What purl reports: what was checked, moved and answered. */
export type TransferReport = Readonly<Record<string, unknown>>;

/**
 * Sends a file or a folder to a pfioh.
 * @throws PurlFailure with a `code`: `connect`, `wrongPath`, `refused`, `localRead`, `interrupted` …; UsageError for certificates
 */
export function push(request: TransferRequest): Promise<TransferReport> {
  return transfer('pushPath', request);
}

/**
 * Fetches a file or a folder from a pfioh.
 * @throws PurlFailure with a `code`: `connect`, `refused`, `localWrite`, `checksum` …; UsageError for certificates
 */
export function pull(request: TransferRequest): Promise<TransferReport> {
  return transfer('pullPath', request);
}

/**
 * Sends one message to a pman or a pfioh, and gives the answer as JSON.
 * @param message such as `{ action: 'hello', meta: { askAbout: 'timestamp' } }`
 * @throws PurlFailure with a `code`: `connect`, `httpStatus` …
 */
export async function send(message: object, options: PurlOptions): Promise<unknown> {
  const client = clientOf(options, 0);
  const way = { url: parseTarget(options.url), client, signal: options.signal };
  const how = { verb: 'POST', raw: true, jsonwrapper: 'payload', contentType: '' };
  return result(await talk(messageOf(message), { ...way, ...how }));
}

const FILES_IDLE_MS = 60_000;

async function transfer(action: string, request: TransferRequest): Promise<TransferReport> {
  const { local, remote, archive = 'zip', unpack, createDir, signal } = request;
  const meta = {
    local: { path: local, ...(createDir === undefined ? {} : { createDir }) },
    remote: typeof remote === 'string' ? { path: remote } : remote,
    transport: {
      mechanism: 'compress',
      compress: { encoding: 'none', archive, unpack: unpack ?? archive === 'zip', cleanup: true },
    },
  };
  const client = clientOf(request, FILES_IDLE_MS);
  const patient = request.idleTimeoutMs === undefined;
  const outcome = await transferPath(parseTransfer(messageOf({ action, meta })), {
    way: { url: parseTarget(request.url), client, signal, patient },
    ...{ raw: false, jsonwrapper: '', oneShot: false, isPfurl: false },
    resume: request.resume ?? false,
    progress: request.progress ?? silentProgress,
  });
  return (result(outcome) as { readonly stdout: TransferReport }).stdout;
}

function messageOf(value: object) {
  const message = parseMessage(JSON.stringify(value));
  if ('fault' in message) throw new PurlFailure('usage', message.fault);
  return message;
}

function result({ text, failure }: Outcome): unknown {
  if (failure !== undefined) throw failure;
  return JSON.parse(text);
}

function clientOf(options: PurlOptions, idleTimeoutMs: number): ClientOptions {
  const { url, token, cacert = '', cert = '', key = '', insecure = false } = options;
  return {
    connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
    idleTimeoutMs: options.idleTimeoutMs ?? idleTimeoutMs,
    retries: options.retries ?? 2,
    unverifiedCerts: insecure,
    ...certificatesOf({ cacert, cert, key, http: url }),
    proxy: undefined,
    zones: zonesOf([url]),
    headers: [
      ['User-Agent', `purl/${VERSION}`],
      ['Accept', '*/*'],
    ],
    givenHeaders: token === undefined ? [] : [['Authorization', `bearer ${token}`]],
  };
}
