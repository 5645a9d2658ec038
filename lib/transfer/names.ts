import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { BadRequestError, PmanError } from '../errors.ts';

/** How the folders that hold what is not yet in place are called; listings and archives leave them out. */
export const STAGING_NAME = /^\.pfioh-\d+-[0-9a-f-]{36}\.tmp$/;

/** A name for what is not yet in place: it says which process makes it. */
export function stagingName(): string {
  return `.pfioh-${process.pid}-${randomUUID()}.tmp`;
}

/** What is kept of an interrupted transfer for `--resume`. */
export const PARTIAL_NAME = /^\.pfioh-[0-9a-f]{32}(?:-\d+-\d*)?\.part$/;

/** Whether a name in a folder is the programs' own and none of the user's. */
export function isOwnName(name: string): boolean {
  return STAGING_NAME.test(name) || PARTIAL_NAME.test(name);
}

/** Whether a name is kept for such, also those of another version: nobody's archive may bring one. */
export function isReservedName(name: string): boolean {
  return /^\.pfioh-.*\.(tmp|part)$/s.test(name);
}

/**
 * Where a link leads, as text.
 * @param name what it is called in an error
 * @throws BadRequestError for what is not UTF-8: it would lead elsewhere on the other side
 */
export function targetText(target: Buffer, name: string): string {
  if (isUtf8(target)) return target.toString('utf8');
  throw new BadRequestError(
    `the symbolic link ${JSON.stringify(name)} leads to a name that is not UTF-8: ${target.toString('latin1')}`,
  );
}

/** The longest name that file systems take, in bytes. */
export const MAX_NAME_BYTES = 255;

/** The first part of a path that is longer than a name can be, if there is one. */
export function tooLongName(path: string): string | undefined {
  if (path.length <= MAX_NAME_BYTES / 3) return undefined;
  return path.split('/').find((part) => Buffer.byteLength(part) > MAX_NAME_BYTES);
}

/** The longest path that Linux takes, with the NUL at its end. */
const MAX_PATH_BYTES = 4096;

/** @throws PmanError for a path that no file system has: with NUL, or too long */
export function requirePossible(path: string): void {
  // First: a path of a megabyte costs no more than a look at its length.
  requireShort(path);
  if (path.includes('\0')) throw new BadRequestError('refused path: it has a NUL character');
  const name = tooLongName(path);
  if (name === undefined) return;
  const said = JSON.stringify(`${name.slice(0, 40)}…`);
  throw new PmanError(
    'name_too_long',
    `refused path: the name ${said} has more than ${MAX_NAME_BYTES} bytes`,
  );
}

/** @throws PmanError for a path of more bytes than any has, here or once it lies in `folder` */
export function requireShort(path: string, folder = ''): void {
  const bytes = Buffer.byteLength(path) + (folder === '' ? 0 : Buffer.byteLength(folder) + 1);
  if (bytes < MAX_PATH_BYTES) return;
  throw new PmanError(
    'name_too_long',
    `refused path: it has ${MAX_PATH_BYTES} bytes or more: ${said(path)}`,
  );
}

/** A path in a message: nobody reads thousands of characters. */
function said(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

/**
 * The parts of the name of an archive entry, which stays below where it is unpacked. Parts that change nothing
 * (`.`, and empty ones) are left out, as all programs do that unpack archives.
 * @throws BadRequestError naming the path and the fault: absolute, `..`, NUL, a part that is too long
 */
export function entryParts(path: string): string[] {
  requireShort(path);
  const parts = path.split('/');
  const fault =
    path.startsWith('/') || parts.includes('..')
      ? 'leaves its folder'
      : path.includes('\0')
        ? 'has a NUL character'
        : tooLongName(path) !== undefined
          ? `has a name of more than ${MAX_NAME_BYTES} bytes`
          : undefined;
  if (fault !== undefined) throw new BadRequestError(`refused path ${said(path)}: it ${fault}`);
  return parts.filter((part) => part !== '' && part !== '.');
}
