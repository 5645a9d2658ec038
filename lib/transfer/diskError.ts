import { PmanError, systemErrorCode } from '../errors.ts';
import { pathError } from './pathError.ts';

const DISK_ERRORS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'EMFILE',
  'ENAMETOOLONG',
  'ENFILE',
  'EFBIG',
  'EISDIR',
  'ENOTEMPTY',
]);

/** An error of writing as one that a client may see; what the disk did not cause stays as it is. */
export function diskError(path: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === 'EISDIR' || code === 'ENOTEMPTY') {
    return new PmanError(
      'conflict',
      `${path} is a folder, and a file of that name comes in its place`,
      { cause: error },
    );
  }
  return code !== undefined && DISK_ERRORS.has(code) ? pathError(path, 'write', error) : error;
}
