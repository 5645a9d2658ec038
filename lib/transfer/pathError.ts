import { PmanError, systemErrorCode } from '../errors.ts';

/** A system error about a path as an error that a client may see. */
export function pathError(path: string, what: string, cause: unknown): PmanError {
  const code = systemErrorCode(cause);
  const message = `cannot ${what} ${shortened(path)}: ${code ?? 'unknown error'}`;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new PmanError('not_found', `${message} (no such file or folder)`, { cause });
  if (code === 'EACCES' || code === 'EPERM')
    return new PmanError('forbidden', `${message} (no permission)`, { cause });
  if (code === 'ELOOP')
    return new PmanError('forbidden', `${message} (a symbolic link that is not followed)`, {
      cause,
    });
  if (code === 'ENAMETOOLONG')
    return new PmanError('name_too_long', `${message} (the name is too long)`, {
      cause,
    });
  if (code === 'EROFS')
    return new PmanError('forbidden', `${message} (read-only file system)`, { cause });
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new PmanError('storage', `${message} (no space left)`, { cause });
  return new PmanError('storage', message, { cause });
}

const shortened = (text: string) => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
