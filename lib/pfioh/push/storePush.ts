import type { Readable } from 'node:stream';
import { BadRequestError } from '../../errors.ts';
import { keepNameless } from '../../transfer/namelessFile.ts';
import { storeFile } from '../../transfer/storeFile.ts';
import { unpack } from '../../transfer/unpack.ts';
import type { Context } from '../context.ts';
import type { Fields } from '../form.ts';
import type { Push } from './pushRequest.ts';
import type { PushTarget } from './pushTarget.ts';

/** What became of a push. */
export type StoredPush = { readonly bytes: number; readonly sha256: string } & (
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
  const { compress } = push.meta.transport ?? {};
  const archive = (compress?.archive ?? (push.isFileMode ? 'zip' : 'none')) === 'zip';
  const unpacks = compress?.unpack ?? push.isFileMode;
  return archive && unpacks
    ? storeUnpacked(content, push, target, context)
    : storeAsFile(content, push, target, archive);
}

async function storeUnpacked(
  content: Readable,
  push: Push,
  { folder }: PushTarget,
  context: Context,
): Promise<StoredPush> {
  const arrived = await keepNameless(content, folder);
  try {
    const { fd, bytes, sha256 } = arrived;
    checkSum(await push.all, sha256);
    const contentOnly = push.isFileMode || push.meta.remote?.key !== undefined;
    const { files } = await unpack(fd, bytes, folder, {
      limits: context.limits,
      followLinks: context.places.followLinks,
      rooted: !contentOnly,
      signal: context.signal,
    });
    return { kind: 'unpacked', bytes, sha256, files };
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
  const stored = await storeFile(content, target.folder, name, dress, async ({ bytes, sha256 }) => {
    checkSum(await push.all, sha256);
    if (archive || announced === undefined || announced === bytes) return;
    throw new BadRequestError(`${bytes} bytes arrived, ${announced} were announced`);
  });
  return { kind: 'file', name, ...stored };
}

/** Compares with the checksum that our own purl sends behind the content. */
function checkSum(fields: Fields, sha256: string): void {
  const stated = fields.get('sha256');
  if (stated === undefined || stated === sha256) return;
  throw new BadRequestError(
    `the content was damaged on the way: SHA-256 ${sha256} instead of ${stated}`,
  );
}
