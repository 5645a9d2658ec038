import { constants, existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_DIRECTORY, O_EXCL, O_RDWR } = constants;
// Of Linux and not in Node's list: a file in a folder, without a name there (open(2)).
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const MODE = 0o600;

/**
 * A new file in a folder that has no name there, so that nothing is left of it however we end. Undefined where the
 * system or the file system has no such files, or the folder cannot be written to.
 * @param nameable whether `nameFile` may give it a name later
 */
export async function openNameless(
  folder: string,
  { nameable }: { readonly nameable: boolean },
): Promise<FileHandle | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    return await open(folder, O_TMPFILE | O_RDWR | (nameable ? 0 : O_EXCL), MODE);
  } catch {
    // Whatever the reason: the way with a name says what is wrong with the folder.
    return undefined;
  }
}

/** Gives an open file without a name this one. False when the name is taken. @throws Error with the system's code */
export type NameFile = (fd: number, path: string) => boolean;

let found: Promise<NameFile | undefined> | undefined;

/** How a file gets a name; undefined where that cannot be done. */
export function fileNamer(): Promise<NameFile | undefined> {
  found ??= findNamer();
  return found;
}

const HANDLES = '/proc/self/fd';
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;

async function findNamer(): Promise<NameFile | undefined> {
  if (process.platform !== 'linux' || !existsSync(HANDLES)) return undefined;
  try {
    // Node's own `link` does not follow the link by which /proc shows an open file.
    const { default: koffi } = await import('koffi');
    const linkat = koffi
      .load(null)
      .func(
        'int linkat(int fromFolder, const char *from, int toFolder, const char *to, int flags)',
      );
    return (fd, path) => {
      const from = `${HANDLES}/${fd}`;
      if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) === 0) return true;
      const errno = koffi.errno();
      if (errno === koffi.os.errno.EEXIST) return false;
      const code = Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0];
      throw Object.assign(new Error(`cannot name ${path}: ${code ?? errno}`), { code });
    };
  } catch {
    // This machine has no koffi: files get their names the old way.
    return undefined;
  }
}
