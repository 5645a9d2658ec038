import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { BadRequestError, PmanError } from '../errors.ts';
import { base64Decoder } from '../transfer/base64.ts';
import { makeFolder } from '../transfer/install.ts';
import type { UnpackLimits } from '../transfer/limits.ts';
import { isOwnName } from '../transfer/names.ts';
import { openPartial } from '../transfer/partial.ts';
import { pathState } from '../transfer/pathState.ts';
import { sizeText, timestamp } from '../transfer/report.ts';
import { spool, storeFile } from '../transfer/spool.ts';
import { unpack } from '../transfer/unpack.ts';
import type { Fields } from './form.ts';
import type { TransferMeta } from './meta.ts';
import type { Places } from './places.ts';
import { finishPush, incomingFolder, isPlugin, noHandling } from './plugin.ts';
import { type JsonObject, ReportedError } from './reply.ts';

export interface PushContext {
  readonly places: Places;
  readonly createDirs: boolean;
  readonly limits: UnpackLimits;
  readonly signal?: AbortSignal | undefined;
}

export interface Push {
  readonly meta: TransferMeta;
  /** pfioh 2 and later (`Mode: file`): archives hold the content of a folder, and other reports. */
  readonly isFileMode: boolean;
  readonly encoding: string;
  readonly filename: string;
  readonly userAgent: string;
  /** All fields of the form; fails when the form does not come to its end. */
  readonly all: Promise<Fields>;
}

/**
 * Takes a pushed file or archive in and reports it. Nothing changes at the destination before
 * everything has arrived and, when the sender states it, the checksum is right.
 * @throws PmanError
 */
export async function receivePush(
  content: Readable,
  push: Push,
  context: PushContext,
): Promise<JsonObject> {
  try {
    return await receive(content, push, context);
  } catch (error) {
    // pfioh 1.6.2 says so when what came as base64 cannot be stored.
    if (push.encoding !== 'base64' || !(error instanceof PmanError)) throw error;
    throw new ReportedError(error, { decode: { status: false, msg: error.message } });
  }
}

async function receive(content: Readable, push: Push, context: PushContext): Promise<JsonObject> {
  const { resume } = push.meta.transport ?? {};
  const target = destination(push, context);
  if (resume === undefined) return arrive(content, push, target, context);
  const partial = await openPartial(target.folder, resume.id);
  let done = false;
  try {
    await partial.append(content, resume.offset ?? 0);
    await push.all;
    // From here on nothing is gained by keeping it: what fails now fails again.
    done = true;
    return await arrive(partial.read(), push, target, context);
  } finally {
    await partial.close({ done });
  }
}

interface Destination {
  /** The folder that the request names; plugins get one below it. */
  readonly place: string;
  /** The folder in the words of the request, with the `/` that a name is put behind; empty when it names none. */
  readonly said: string;
  readonly folder: string;
  readonly name: string;
}

function destination(push: Push, { places, createDirs }: PushContext): Destination {
  const { meta } = push;
  const named = basename(meta.local?.path ?? push.filename);
  if (named === '' || named === '.' || named === '..' || isOwnName(named)) {
    throw new BadRequestError('the request does not name what is sent: meta.local.path');
  }
  // pfioh 1.6.2: without a remote path it is stored here as received-<name>.
  const { remote } = meta;
  const isNamed = remote?.path !== undefined || remote?.key !== undefined;
  const place = isNamed ? places.resolve(remote) : places.path('.');
  const name = isNamed ? named : `received-${named}`;
  const there = pathState(place);
  if (!there.isdir) {
    if (there.status) {
      throw new PmanError('conflict', `cannot push to ${place}: it is a file, not a folder`);
    }
    if (!createDirs) {
      throw new PmanError('not_found', `cannot push to ${place}: no such folder`, {
        hint: 'make the folder, or start pfioh with --createDirsAsNeeded',
      });
    }
    makeFolder(place);
  }
  const folder = isPlugin(meta) ? incomingFolder(place) : place;
  const path = remote?.path ?? place.replace(/\/$/, '');
  return { place, folder, name, said: isNamed ? `${path}/` : '' };
}

async function arrive(
  content: Readable,
  push: Push,
  target: Destination,
  context: PushContext,
): Promise<JsonObject> {
  const { compress } = push.meta.transport ?? {};
  const archive = (compress?.archive ?? (push.isFileMode ? 'zip' : 'none')) === 'zip';
  const isBase64 = push.encoding === 'base64';
  if (!isBase64 && push.encoding !== 'none' && push.encoding !== '') {
    content.resume();
    throw new BadRequestError(`unknown encoding ${JSON.stringify(push.encoding)}: base64 or none`);
  }
  const decoded = isBase64 ? decode(content) : content;
  const unpacks = compress?.unpack ?? push.isFileMode;
  const report =
    archive && unpacks
      ? await arriveArchive(decoded, push, target, context)
      : await arriveFile(decoded, push, target, archive);
  const plugin = isPlugin(push.meta);
  const handled = plugin ? finishPush(target.place) : noHandling();
  const postop = plugin || push.isFileMode ? { postop: handled } : {};
  return {
    ...(isBase64 ? { decode: {} } : {}),
    ...report,
    ...postop,
    'User-agent': push.userAgent,
  };
}

function decode(content: Readable): Readable {
  const decoder = base64Decoder();
  // It may fail before somebody reads it: whoever reads it then is told.
  decoder.on('error', () => {});
  content.once('error', (error) => decoder.destroy(error));
  content.once('close', () => {
    if (!content.readableEnded) decoder.destroy(new BadRequestError('the form broke off'));
  });
  return content.pipe(decoder);
}

async function arriveArchive(
  content: Readable,
  push: Push,
  target: Destination,
  context: PushContext,
) {
  const { folder, name } = target;
  const arrived = await spool(content, folder);
  try {
    checkSum(await push.all, arrived.sha256);
    const contentOnly = push.isFileMode || push.meta.remote?.key !== undefined;
    const { files } = await unpack(arrived.fd, arrived.bytes, folder, {
      limits: context.limits,
      followLinks: context.places.followLinks,
      rooted: !contentOnly,
      signal: context.signal,
    });
    const size = { filesize: sizeText(arrived.bytes), files };
    if (push.isFileMode) {
      const msg = 'File written successfully!';
      const write = { file: target.place, status: true, msg, timestamp: timestamp(), ...size };
      return { write, status: true, msg, sha256: arrived.sha256 };
    }
    const msg = 'unzip operation successful';
    const file = `${target.said}${name}.zip`;
    const path = push.meta.remote?.path ?? folder;
    const unzip = { msg, fileProcessed: file, status: true, path, zipmode: 'r', ...size };
    const end = { status: true, msg };
    const { sha256, bytes } = arrived;
    // The original writes the archive first, and says so unless it came as base64.
    if (push.encoding === 'base64') return { unzip, ...end, sha256 };
    return { write: written(file, bytes), ...end, unzip, sha256 };
  } finally {
    await arrived.close();
  }
}

async function arriveFile(content: Readable, push: Push, target: Destination, archive: boolean) {
  const { mode, mtimeNs } = push.meta.local ?? {};
  // What clients of pfioh 2 and later call `x.zip` stays that.
  const isZip = push.isFileMode && target.name.endsWith('.zip');
  const name = archive && !isZip ? `${target.name}.zip` : target.name;
  const dress = archive
    ? {}
    : { mode, mtimeNs: mtimeNs === undefined ? undefined : BigInt(mtimeNs) };
  const stored = await storeFile(content, target.folder, name, dress, async ({ sha256 }) => {
    checkSum(await push.all, sha256);
  });
  const write = written(`${target.said}${name}`, stored.bytes);
  return { write, status: true, msg: write.msg, sha256: stored.sha256 };
}

function written(file: string, bytes: number) {
  const msg = 'File written successfully!';
  return {
    decode: false,
    file,
    status: true,
    msg,
    filesize: sizeText(bytes),
    timestamp: timestamp(),
  };
}

/** Compares with the checksum that our own purl sends behind the content. */
function checkSum(fields: Fields, sha256: string): void {
  const stated = fields.get('sha256');
  if (stated === undefined || stated === sha256) return;
  throw new BadRequestError(
    `the content was damaged on the way: SHA-256 ${sha256} instead of ${stated}`,
  );
}
