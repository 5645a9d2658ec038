import { readableStamp } from '../../host/stamps.ts';
import { sizeText } from '../../transfer/sizeText.ts';
import type { JsonObject } from '../answer.ts';
import type { Push } from './pushRequest.ts';
import type { PushTarget } from './pushTarget.ts';
import type { StoredPush } from './storePush.ts';

/** What a push is answered with, in the words of the pfioh that its client knows. */
export function pushReport(
  push: Push,
  target: PushTarget,
  stored: StoredPush,
  postop: JsonObject | undefined,
): JsonObject {
  return {
    ...(push.encoding === 'base64' ? { decode: {} } : {}),
    ...(stored.kind === 'unpacked'
      ? unpackedReport(push, target, stored)
      : fileReport(push, target, stored)),
    ...(postop === undefined ? {} : { postop }),
    'User-agent': push.userAgent,
  };
}

function unpackedReport(
  push: Push,
  { place, said, folder, name }: PushTarget,
  { bytes, files, digest }: Extract<StoredPush, { readonly kind: 'unpacked' }>,
): JsonObject {
  const sum = { [push.check.name]: digest };
  const size = { filesize: sizeText(bytes), files };
  if (push.isFileMode) {
    const msg = 'File written successfully!';
    const timestamp = readableStamp(Date.now());
    const write = { file: place, status: true, msg, timestamp, ...size };
    return { write, status: true, msg, ...sum };
  }
  const msg = 'unzip operation successful';
  const file = `${said}${name}.zip`;
  const path = push.meta.remote?.path ?? folder;
  const unzip = { msg, fileProcessed: file, status: true, path, zipmode: 'r', ...size };
  const end = { status: true, msg };
  // The original writes the archive first, and says so unless it came as base64.
  if (push.encoding === 'base64') return { unzip, ...end, ...sum };
  return { write: written(file, bytes), ...end, unzip, ...sum };
}

function fileReport(
  { check }: Push,
  { said }: PushTarget,
  { name, bytes, digest }: Extract<StoredPush, { readonly kind: 'file' }>,
): JsonObject {
  const write = written(`${said}${name}`, bytes);
  return { write, status: true, msg: write.msg, [check.name]: digest };
}

function written(file: string, bytes: number) {
  return {
    decode: false,
    file,
    status: true,
    msg: 'File written successfully!',
    filesize: sizeText(bytes),
    timestamp: readableStamp(Date.now()),
  };
}
