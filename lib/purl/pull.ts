import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { messageOf, PmanError, systemErrorCode } from '../errors.ts';
import { base64Decoder } from '../transfer/base64.ts';
import { parseJsonOrUndefined } from '../transfer/jsonText.ts';
import { DEFAULT_LIMITS } from '../transfer/limits.ts';
import { openPartial } from '../transfer/partial.ts';
import { sizeText, timestamp } from '../transfer/report.ts';
import { type FileDress, type Spool, spool, storeFile } from '../transfer/spool.ts';
import { unpack } from '../transfer/unpack.ts';
import { PurlFailure } from './failure.ts';
import { readText, send } from './http.ts';
import { type Peer, transferUrl } from './peer.ts';
import { type Progress, silentProgress } from './progress.ts';
import { endOfArchive, withoutReport } from './pythonAnswer.ts';
import type { TransferMessage } from './transferMessage.ts';

export interface PullOptions {
  readonly peer: Peer;
  readonly isFileMode: boolean;
  /** The remote path is a folder, which comes as an archive whatever the message says. */
  readonly isFolder: boolean;
  readonly progress: Progress;
  readonly resume: boolean;
}

export interface PullResult {
  readonly remoteServer: Readonly<Record<string, unknown>>;
  readonly localOp: Readonly<Record<string, unknown>>;
  readonly msg: string;
}

/**
 * Pulls a file or folder into the local folder, which exists.
 * @throws PurlFailure, PmanError; nothing has changed locally then
 */
export async function pullPath(
  message: TransferMessage,
  options: PullOptions,
): Promise<PullResult> {
  const { peer, progress } = options;
  const url = transferUrl(peer.url, message, {
    ...pullTransport(message, options),
    checkRemote: false,
  });
  const resumed =
    options.resume && peer.kind === 'own' ? await openResume(url, message, peer) : undefined;
  const offset = resumed?.partial.bytes ?? 0;
  let done = false;
  try {
    const answer = await ask(url, peer, offset > 0 ? resumed?.etag : undefined, offset);
    const start = answer.statusCode === 206 ? offset : 0;
    progress.start(Number(answer.headers['pfioh-bytes'] ?? 0) || undefined, start);
    const received =
      peer.kind === 'own' ? answer : Readable.from(patiently(answer), { objectMode: false });
    if (resumed === undefined) return await arrive(received, answer, message, options);
    await resumed.partial.append(received, start, progress.add.bind(progress));
    done = true;
    return await arrive(resumed.partial.read(), answer, message, {
      ...options,
      progress: silentProgress,
    });
  } catch (error) {
    if (error instanceof PurlFailure || error instanceof PmanError) throw error;
    throw new PurlFailure('partial', `${peer.url.host} broke off: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    progress.stop();
    await resumed?.partial.close({ done });
  }
}

/** The later protocol knows no base64, whatever the message says. */
function pullTransport({ transport, compress, encoding }: TransferMessage, options: PullOptions) {
  if (!options.isFileMode || encoding === 'none') return transport;
  return { ...transport, compress: { ...compress, encoding: 'none' } };
}

/** Finds out what the server would send now, and what of exactly that is here already. */
async function openResume(url: URL, message: TransferMessage, peer: Peer) {
  const head = await send({ method: 'HEAD', url, signal: peer.signal }, peer.client);
  head.resume();
  const { etag } = head.headers;
  if (etag === undefined) return undefined;
  const what = JSON.stringify([peer.url.href, message.remotePath, message.remoteKey, etag]);
  const id = createHash('sha256').update(what).digest('hex').slice(0, 32);
  return { etag, partial: await openPartial(message.localPath, id) };
}

async function ask(
  url: URL,
  peer: Peer,
  etag: string | undefined,
  offset: number,
): Promise<IncomingMessage> {
  const headers: [string, string][] =
    etag === undefined
      ? []
      : [
          ['Range', `bytes=${offset}-`],
          ['If-Range', etag],
        ];
  const answer = await send({ method: 'GET', url, headers, signal: peer.signal }, peer.client);
  const status = answer.statusCode ?? 0;
  if (status < 400) return answer;
  const said = parseJsonOrUndefined(await readText(answer));
  const msg =
    typeof said === 'object' && said !== null && 'msg' in said ? String(said.msg) : undefined;
  throw new PurlFailure(
    'transfer',
    `${peer.url.host} refused the pull: ${msg ?? `${status} ${answer.statusMessage}`}`,
  );
}

/** The answer of a Python pfioh, which states a length that counts more than the content. */
async function* patiently(answer: IncomingMessage): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ECONNRESET' || bytes === 0) throw error;
  }
}

async function arrive(
  raw: Readable,
  answer: IncomingMessage,
  message: TransferMessage,
  options: PullOptions,
): Promise<PullResult> {
  const isBase64 = message.encoding === 'base64' && !options.isFileMode;
  const onBytes = options.progress.add.bind(options.progress);
  const content = isBase64 ? decode(raw) : raw;
  const name = basename(message.remotePath ?? `key-${message.remoteKey}`);
  const archive = message.archive || options.isFolder || options.isFileMode;
  const localOp: Record<string, unknown> = isBase64
    ? { decode: decodeReport(message, name, archive) }
    : {};
  let bytes: number;
  let msg: string;
  if (archive && message.unpack) {
    const arrived = await spool(content, message.localPath, onBytes);
    try {
      bytes = arrived.bytes;
      const unzip = await unpackArrived(arrived, answer, message, name, options);
      localOp.unzip = unzip;
      msg = unzip.msg;
    } finally {
      await arrived.close();
    }
  } else {
    const stored = await store(content, answer, message, archive ? `${name}.zip` : name, options);
    bytes = stored.bytes;
    localOp.write = stored.write;
    msg = stored.write.msg;
  }
  const remoteServer = {
    status: true,
    msg: 'PULL successful',
    response: '<truncated>',
    timestamp: timestamp(),
    size: sizeText(isBase64 ? 4 * Math.ceil(bytes / 3) : bytes),
  };
  return { remoteServer, localOp, msg };
}

function decode(raw: Readable): Readable {
  const decoder = base64Decoder();
  pipeline(raw, decoder, () => {});
  return decoder;
}

function decodeReport({ localPath }: TransferMessage, name: string, archive: boolean) {
  const file = `${localPath.replace(/\/$/, '')}/${name}${archive ? '.zip' : ''}`;
  return { msg: 'Decode successful', fileProcessed: file, status: true };
}

async function unpackArrived(
  arrived: Spool,
  answer: IncomingMessage,
  message: TransferMessage,
  name: string,
  { peer, isFileMode }: PullOptions,
) {
  const path = message.localPath;
  checkDigest(answer, arrived.sha256, peer);
  const bytes = peer.kind === 'own' ? arrived.bytes : endOfArchive(arrived.fd, arrived.bytes);
  if (peer.kind !== 'own' && bytes === 0) throw refusalOf(arrived, peer);
  await unpack(arrived.fd, bytes, path, {
    limits: { ...DEFAULT_LIMITS, maxBytes: Number.MAX_SAFE_INTEGER },
    followLinks: true,
    rooted: !isFileMode && message.remoteKey === undefined,
    signal: peer.signal,
  });
  return {
    msg: 'unzip operation successful',
    fileProcessed: `${path.replace(/\/$/, '')}/${name}.zip`,
    status: true,
    path,
    zipmode: 'r',
    filesize: sizeText(bytes),
    timestamp: timestamp(),
  };
}

/** Why a Python pfioh sent no archive: it reports failures with status 200 or not at all. */
function refusalOf({ fd, bytes }: Spool, peer: Peer): PurlFailure {
  const text = Buffer.alloc(Math.min(bytes, 4096));
  readSync(fd, text, 0, text.length, 0);
  const why = bytes === 0 ? 'it answered with nothing' : text.toString('utf8').slice(0, 200);
  return new PurlFailure('transfer', `${peer.url.host} sent no archive: ${why}`);
}

async function store(
  content: Readable,
  answer: IncomingMessage,
  message: TransferMessage,
  name: string,
  { peer, isFileMode, progress }: PullOptions,
) {
  const isBare = peer.kind === 'python1' && message.encoding === 'none' && !isFileMode;
  const plain = isBare ? Readable.from(withoutReport(content), { objectMode: false }) : content;
  const dress = name.endsWith('.zip') ? {} : dressOf(answer);
  const { bytes } = await storeFile(
    plain,
    message.localPath,
    name,
    dress,
    ({ sha256 }) => checkDigest(answer, sha256, peer),
    progress.add.bind(progress),
  );
  const msg = 'File written successfully!';
  const file = `${message.localPath.replace(/\/$/, '')}/${name}`;
  return {
    bytes,
    write: { file, status: true, msg, filesize: sizeText(bytes), timestamp: timestamp() },
  };
}

function dressOf({ headers }: IncomingMessage): FileDress {
  const mode = /^[0-7]{1,4}$/.exec(String(headers['pfioh-mode'] ?? ''))?.[0];
  const mtimeNs = /^-?\d{1,20}$/.exec(String(headers['pfioh-mtime-ns'] ?? ''))?.[0];
  return {
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    mtimeNs: mtimeNs === undefined ? undefined : BigInt(mtimeNs),
  };
}

function checkDigest(answer: IncomingMessage, sha256: string, peer: Peer): void {
  if (peer.kind !== 'own') return;
  const stated = answer.trailers['pfioh-sha256'] ?? 'none';
  if (stated === sha256) return;
  throw new PurlFailure(
    'checksum',
    `what ${peer.url.host} sent was damaged on the way: SHA-256 ${sha256} instead of ${stated}`,
  );
}
