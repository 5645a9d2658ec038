import { PmanError } from '../errors.ts';

/** What most file systems take for one name (NAME_MAX). */
export const MAX_NAME_BYTES = 255;

/** Whether a name can be a file or folder of the database: one path component that means itself. */
export function isSafeName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0') &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES
  );
}

/** @throws PmanError bad_request when the name cannot stand on disk */
export function checkName(name: string): void {
  if (isSafeName(name)) return;
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  throw new PmanError(
    'bad_request',
    `${JSON.stringify(shown)} cannot be the name of a tree entry`,
    {
      hint: 'a name is 1 to 255 bytes, without "/" and NUL, and neither "." nor ".."',
    },
  );
}
