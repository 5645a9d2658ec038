import { readSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { CHECK_NAMES, CHECK_TRAILERS, type Check } from '../../transfer/contentCheck.ts';
import { keepNameless, type NamelessFile } from '../../transfer/namelessFile.ts';
import { type FileDress, type Stored, storeFile } from '../../transfer/storeFile.ts';
import { toldFailure } from '../../transfer/toldFailure.ts';
import { type UnpackOptions, unpack } from '../../transfer/unpack.ts';
import { DEFAULT_LIMITS } from '../../transfer/unpackLimits.ts';
import { PurlFailure } from '../failure.ts';
import type { Peer } from '../peer.ts';
import type { TransferMessage } from '../transferMessage.ts';
import type { PullForm } from './pullForm.ts';
import { endOfArchive, withoutReport } from './pythonAnswer.ts';

export interface StoreOptions extends PullForm {
  readonly peer: Peer;
  readonly check: Check;
  readonly onBytes: (bytes: number) => void;
}

/** What became of a pull; `bytes` is what arrived. */
export type StoredPull =
  | { readonly kind: 'unpacked'; readonly bytes: number; readonly archiveBytes: number }
  /** As one file of this name. */
  | { readonly kind: 'file'; readonly bytes: number; readonly name: string };

/** Stores what a pull brings, an archive unpacked when the message says so. @throws PurlFailure, PmanError */
export function storePull(
  content: Readable,
  answer: IncomingMessage,
  message: TransferMessage,
  options: StoreOptions,
): Promise<StoredPull> {
  return options.archive && message.unpack
    ? storeUnpacked(content, answer, message, options)
    : storeAsFile(content, answer, message, options);
}

async function storeUnpacked(
  content: Readable,
  answer: IncomingMessage,
  message: TransferMessage,
  { peer, check, isFileMode, onBytes }: StoreOptions,
): Promise<StoredPull> {
  const { localPath } = message;
  const arrived = await keepNameless(content, localPath, { check, onBytes });
  try {
    const { fd, bytes } = arrived;
    checkDigest(answer, arrived.digest, { peer, check });
    const archiveBytes = peer.kind === 'own' ? bytes : endOfArchive(fd, bytes);
    if (peer.kind !== 'own' && archiveBytes === 0) throw refusalOf(arrived, peer);
    await unpack(fd, archiveBytes, localPath, unpacking(message, { peer, isFileMode }));
    return { kind: 'unpacked', bytes, archiveBytes };
  } finally {
    await arrived.close();
  }
}

/** By which rules it is unpacked. */
export function unpacking(
  { remoteKey }: TransferMessage,
  { peer, isFileMode }: Pick<StoreOptions, 'peer' | 'isFileMode'>,
): UnpackOptions {
  return {
    limits: { ...DEFAULT_LIMITS, maxBytes: Number.MAX_SAFE_INTEGER },
    followLinks: true,
    rooted: !isFileMode && remoteKey === undefined,
    signal: peer.signal,
  };
}

/** Why a Python pfioh sent no archive: it reports failures with status 200 or not at all. */
function refusalOf({ fd, bytes }: NamelessFile, peer: Peer): PurlFailure {
  const text = Buffer.alloc(Math.min(bytes, 4096));
  readSync(fd, text, 0, text.length, 0);
  const why = bytes === 0 ? 'it answered with nothing' : text.toString('utf8').slice(0, 200);
  return new PurlFailure('transfer', `${peer.url.host} sent no archive: ${why}`);
}

async function storeAsFile(
  content: Readable,
  answer: IncomingMessage,
  message: TransferMessage,
  options: StoreOptions,
): Promise<StoredPull> {
  const { peer, check, isFileMode, archive, onBytes } = options;
  const name = archive ? `${options.name}.zip` : options.name;
  const isBare = peer.kind === 'python1' && message.encoding === 'none' && !isFileMode;
  const plain = isBare ? Readable.from(withoutReport(content), { objectMode: false }) : content;
  const dress = name.endsWith('.zip') ? {} : dressOf(answer);
  const announced = options.isBase64 ? undefined : answer.headers['pfioh-bytes'];
  const accept = ({ bytes, digest }: Stored) => {
    checkDigest(answer, digest, options);
    if (announced === undefined || Number(announced) === bytes) return;
    throw new PurlFailure('partial', `${bytes} bytes arrived, ${announced} were announced`);
  };
  const { bytes } = await storeFile(plain, message.localPath, name, dress, {
    check,
    accept,
    onBytes,
  });
  return { kind: 'file', bytes, name };
}

function dressOf({ headers }: IncomingMessage): FileDress {
  const mode = /^[0-7]{1,4}$/.exec(String(headers['pfioh-mode'] ?? ''))?.[0];
  const mtimeNs = /^-?\d{1,20}$/.exec(String(headers['pfioh-mtime-ns'] ?? ''))?.[0];
  return {
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    mtimeNs: mtimeNs === undefined ? undefined : BigInt(mtimeNs),
  };
}

/** @throws PurlFailure when the other side says why it could not send all of it */
export function requireWhole({ trailers }: IncomingMessage, { url }: Peer): void {
  const why = toldFailure(trailers);
  if (why !== undefined) throw new PurlFailure('transfer', `${url.host} cannot send it: ${why}`);
}

/**
 * Compares with what the other side says of what it has sent.
 * @throws PurlFailure `checksum`; `transfer` when it could not send all of it
 */
export function checkDigest(
  answer: IncomingMessage,
  digest: string,
  { peer, check: { name } }: Pick<StoreOptions, 'peer' | 'check'>,
): void {
  if (peer.kind !== 'own') return;
  requireWhole(answer, peer);
  const stated = answer.trailers[CHECK_TRAILERS[name].toLowerCase()] ?? 'none';
  if (stated === digest) return;
  throw new PurlFailure(
    'checksum',
    `what ${peer.url.host} sent was damaged on the way: ${CHECK_NAMES[name]} ${digest} instead of ${stated}`,
  );
}
