import { PmanError } from '../errors.ts';

/** What most file systems take for one name (NAME_MAX). */
const MAX_NAME_BYTES = 255;

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

/** `<YYYYMMDDhhmmss.ffffff>_<uuid4>`, local time of registration (protocol b). */
const JOB_ROOT = /^\d{14}\.\d{1,6}_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a name is that of a job root as pman makes them. */
export function isJobRoot(name: string): boolean {
  return JOB_ROOT.test(name);
}
