import { fstatSync, readdirSync } from 'node:fs';
import koffi from 'koffi';
import { systemErrorCode } from '../errors.ts';

/** A socket of this process. */
export interface OwnSocket {
  /** By which the system tells sockets apart. */
  readonly inode: number;
  /** Where it comes from; undefined when it is no connection of the port. */
  readonly address: string | undefined;
}

const OPEN_FILES = '/proc/self/fd';
/** Large enough for an address of any kind. */
const ADDRESS_BYTES = 128;
// <sys/socket.h> of Linux.
const AF_INET = 2;
const AF_INET6 = 10;

const libc = koffi.load(null);
const getpeername = libc.func('int getpeername(int socket, void *address, void *length)');
const getsockname = libc.func('int getsockname(int socket, void *address, void *length)');

/**
 * The sockets of this process, the oldest first as far as the system tells, with the addresses of those that are
 * connections of a local port. What `seen` has is given without its address. Linux only; elsewhere there are none.
 *
 * The tables of proc(5) would tell as well. To read them takes 80 ms and more where the system has many connections.
 */
export function ownSockets(port: number, seen: ReadonlySet<number>): readonly OwnSocket[] {
  return descriptors()
    .flatMap((fd): OwnSocket[] => {
      const inode = socketAt(fd);
      if (inode === undefined) return [];
      const isOurs = !seen.has(inode) && nameOf(fd, getsockname)?.port === port;
      return [{ inode, address: isOurs ? nameOf(fd, getpeername)?.address : undefined }];
    })
    .sort((a, b) => a.inode - b.inode);
}

function descriptors(): readonly number[] {
  try {
    return readdirSync(OPEN_FILES).map(Number);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function socketAt(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isSocket() ? stat.ino : undefined;
  } catch (error) {
    // It has been closed since, by another thread.
    if (systemErrorCode(error) === 'EBADF') return undefined;
    throw error;
  }
}

function nameOf(fd: number, ask: typeof getpeername) {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  const length = new Uint32Array([ADDRESS_BYTES]);
  const failed: number = ask(fd, bytes, length);
  return failed === 0 ? readAddress(bytes) : undefined;
}

/** An address as the system's calls give it; undefined for one that is not of the internet. */
export function readAddress(
  bytes: Buffer,
): { readonly address: string; readonly port: number } | undefined {
  const [family] = new Uint16Array(Uint8Array.from(bytes.subarray(0, 2)).buffer);
  const port = bytes.readUInt16BE(2);
  if (family === AF_INET) return { address: bytes.subarray(4, 8).join('.'), port };
  if (family !== AF_INET6) return undefined;
  const address = bytes.subarray(8, 24);
  const isMapped = address.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
  if (isMapped) return { address: address.subarray(12).join('.'), port };
  const pieces = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
  // In its short form.
  return { address: new URL(`http://[${pieces.join(':')}]`).hostname.slice(1, -1), port };
}
