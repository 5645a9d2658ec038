import type { Readable } from 'node:stream';
import { BadRequestError } from '../../errors.ts';
import { CHECK_NAMES } from '../../transfer/contentCheck.ts';
import { keepNameless } from '../../transfer/namelessFile.ts';
import { unpackPack } from '../../transfer/pack/unpackPack.ts';
import { openPartial } from '../../transfer/partial.ts';
import { storeFile } from '../../transfer/storeFile.ts';
import { type UnpackOptions, unpack } from '../../transfer/unpack.ts';
import type { Context } from '../context.ts';
import { isPack, type Push } from './pushRequest.ts';
import type { PushTarget } from './pushTarget.ts';

/** What became of a push. */
export type StoredPush = { readonly bytes: number; readonly digest: string } & (
  | { readonly kind: 'unpacked'; readonly files: number }
  /** As one file of this name. */
  | { readonly kind: 'file'; readonly name: string }
);

/** Stores the content of a push, an archive unpacked when the request says so. @throws PmanError */
export function storePush(
  content: Readable,
  push: Push,
  target: PushTarget,
  context: Context,
): Promise<StoredPush> {
  if (isPack(push)) return storePacked(content, push, target, context);
  const { compress } = push.meta.transport ?? {};
  const archive = (compress?.archive ?? (push.isFileMode ? 'zip' : 'none')) === 'zip';
  const unpacks = compress?.unpack ?? push.isFileMode;
  return archive && unpacks
    ? storeUnpacked(content, push, target, context)
    : storeAsFile(content, push, target, archive);
}

async function storePacked(
  source: Readable,
  push: Push,
  { folder }: PushTarget,
  context: Context,
): Promise<StoredPush> {
  const { resume } = push.meta.transport ?? {};
  const kept = resume && {
    partial: await openPartial(folder, resume.id),
    offset: resume.offset ?? 0,
  };
  const { check, all: ended } = push;
  const accept = ({ digest }: { readonly digest: string }) => checkSum(push, digest);
  const arriving = { source, check, kept, ended, accept };
  const { bytes, digest, files } = await unpackPack(folder, arriving, unpacking(push, context));
  return { kind: 'unpacked', bytes, digest, files };
}

function unpacking({ isFileMode, meta }: Push, { limits, places, signal }: Context): UnpackOptions {
  const contentOnly = isFileMode || meta.remote?.key !== undefined;
  return { limits, followLinks: places.followLinks, rooted: !contentOnly, signal };
}

async function storeUnpacked(
  content: Readable,
  push: Push,
  { folder }: PushTarget,
  context: Context,
): Promise<StoredPush> {
  const arrived = await keepNameless(content, folder, { check: push.check });
  try {
    const { fd, bytes, digest } = arrived;
    await checkSum(push, digest);
    const { files } = await unpack(fd, bytes, folder, unpacking(push, context));
    return { kind: 'unpacked', bytes, digest, files };
  } finally {
    await arrived.close();
  }
}

async function storeAsFile(
  content: Readable,
  push: Push,
  target: PushTarget,
  archive: boolean,
): Promise<StoredPush> {
  const { mode, mtimeNs, bytes: announced } = push.meta.local ?? {};
  // What clients of pfioh 2 and later call `x.zip` stays that.
  const isZip = push.isFileMode && target.name.endsWith('.zip');
  const name = archive && !isZip ? `${target.name}.zip` : target.name;
  const dress = archive
    ? {}
    : { mode, mtimeNs: mtimeNs === undefined ? undefined : BigInt(mtimeNs) };
  const stored = await storeFile(content, target.folder, name, dress, {
    check: push.check,
    async accept({ bytes, digest }) {
      await checkSum(push, digest);
      if (archive || announced === undefined || announced === bytes) return;
      throw new BadRequestError(`${bytes} bytes arrived, ${announced} were announced`);
    },
  });
  return { kind: 'file', name, ...stored };
}

/** Compares with the checksum that our own purl sends behind the content. */
async function checkSum({ all, check: { name } }: Push, digest: string): Promise<void> {
  const stated = (await all).get(name);
  if (stated === undefined || stated === digest) return;
  throw new BadRequestError(
    `the content was damaged on the way: ${CHECK_NAMES[name]} ${digest} instead of ${stated}`,
  );
}
