import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';
import { lastError, libc, systemError } from './nativeLibrary.ts';

// <fcntl.h>, <sys/ioctl.h> of Linux.
const O_CLOEXEC = 0o2000000;
const F_SETPIPE_SZ = 1031;
const FIONREAD = 0x541b;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;

const pipe2 = libc.func('int pipe2(_Out_ int *fds, int flags)');
const ioctl = libc.func('int ioctl(int fd, unsigned long request, _Out_ int *value)');
const fcntl = libc.func('int fcntl(int fd, int command, int value)');
const splice = libc.func(
  'int64 splice(int from, void *fromAt, int to, void *toAt, size_t bytes, unsigned int flags)',
);

/** A pipe of the kernel's; other programs do not inherit its ends. */
export interface Pipe {
  readonly reader: number;
  /**
   * Also a reader, where the system has /proc: a program that has it is not ended by SIGPIPE when every other reader is
   * gone. It waits for the next one once the pipe is full.
   */
  readonly writer: number;
}

const lseek = libc.func('int64 lseek(int fd, int64 offset, int whence)');
const SEEK_END = 2;

/** @throws the system's error when it has no more files */
export function makePipe(): Pipe {
  const fds: number[] = [0, 0];
  if (pipe2(fds, O_CLOEXEC) !== 0) throw systemError('make a pipe');
  const [reader = 0, writer = 0] = fds;
  try {
    const both = openSync(`/proc/self/fd/${reader}`, 'r+');
    closeSync(writer);
    return { reader, writer: both };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { reader, writer };
    closeSync(reader);
    closeSync(writer);
    throw error;
  }
}

/** How many bytes wait in a pipe. */
export function unreadBytes(reader: number): number {
  const bytes: [number] = [0];
  if (ioctl(reader, FIONREAD, bytes) !== 0) throw systemError('look into a pipe');
  return bytes[0];
}

/** Lets a pipe hold more, as far as this user may have that. */
export function widen(reader: number, bytes: number): void {
  fcntl(reader, F_SETPIPE_SZ, bytes);
}

/**
 * Opens a file for writing behind what it has; makes it where it is missing. Not for appending, which splice(2) refuses.
 * @throws the system's error
 */
export function openAtEnd(path: string): { readonly fd: number; readonly size: number } {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  return { fd, size: Number(lseek(fd, 0, SEEK_END)) };
}

/**
 * Moves what waits in a pipe to the place in a file that the descriptor is at. The kernel does it in one step under the
 * pipe's own lock: a kill of this process leaves each byte in the one or in the other. (The few file systems that cannot
 * do so have a read and a write, which a kill can separate.)
 * @returns how many bytes were moved; 0 where none wait
 * @throws the system's error when the file does not take it; what it does not take stays in the pipe
 */
export function moveBytes(reader: number, file: number, atMost: number): number {
  const moved: number = splice(reader, null, file, null, atMost, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (moved >= 0) return Number(moved);
  const code = lastError();
  if (code === 'EAGAIN' || code === 'EINTR') return 0;
  if (code === 'EINVAL') return copyBytes(reader, file, atMost);
  throw systemError('write an output', code);
}

function copyBytes(reader: number, file: number, atMost: number): number {
  // Nobody else reads it, so what waits is there: a read does not block.
  const waiting = Math.min(unreadBytes(reader), atMost, 65_536);
  if (waiting === 0) return 0;
  const bytes = Buffer.allocUnsafe(waiting);
  const read = readSync(reader, bytes, 0, waiting, null);
  for (let at = 0; at < read; ) at += writeSync(file, bytes, at, read - at);
  return read;
}
