import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';

/** flock(2): these two are the same on every system that has it. */
const LOCK_EX = 2;
const LOCK_NB = 4;

const flock = koffi.load(null).func('int flock(int fd, int operation)');

/**
 * Locks a folder itself, by whatever name it was reached: device and inode are what counts (flock(2)). The lock ends with
 * this process, however that ends.
 * @returns what gives it up; `taken` when another process has it; undefined where the file system knows no such locks
 * @throws the system's error when the folder cannot be opened
 */
export function lockByIdentity(folder: string): (() => void) | 'taken' | undefined {
  const fd = openSync(folder, 'r');
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return () => closeSync(fd);
  const isTaken = koffi.errno() === koffi.os.errno.EWOULDBLOCK;
  closeSync(fd);
  return isTaken ? 'taken' : undefined;
}
