import { fchmodSync } from 'node:fs';
import koffi from 'koffi';
import { lastError, libc, systemError } from './nativeLibrary.ts';

// <sys/socket.h> of Linux.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const BACKLOG = 16;
/** struct cmsghdr of 64-bit systems, in bytes. */
const CONTROL_HEAD = 16;
const MAX_FILES = 16;
const CHUNK_BYTES = 64 * 1024;

const piece = koffi.struct({ base: 'void *', length: 'size_t' });
const message = koffi.struct({
  name: 'void *',
  nameLength: 'uint32',
  pieces: koffi.pointer(piece),
  pieceCount: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
});
const sendmsg = libc.func('sendmsg', 'int64', ['int', koffi.pointer(message), 'int']);
const recvmsg = libc.func('recvmsg', 'int64', ['int', koffi.inout(koffi.pointer(message)), 'int']);
const socketpair = libc.func('int socketpair(int family, int type, int protocol, _Out_ int *fds)');
const makeSocket = libc.func('int socket(int family, int type, int protocol)');
const bind = libc.func('int bind(int fd, void *address, uint32 length)');
const listen = libc.func('int listen(int fd, int backlog)');
const connect = libc.func('int connect(int fd, void *address, uint32 length)');
const accept4 = libc.func('int accept4(int fd, void *address, void *length, int flags)');
const close = libc.func('int close(int fd)');

/** Two Unix sockets that are connected with each other. */
export function makeSocketPair(): readonly [number, number] {
  const fds: [number, number] = [0, 0];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) !== 0)
    throw systemError('make a pair of sockets');
  return fds;
}

/** @throws the system's error: ENOENT or ECONNREFUSED where nobody listens */
export function connectTo(path: string): number {
  return openSocket(path, (fd, address) => connect(fd, address, address.length));
}

/** @throws the system's error: EADDRINUSE where there is a socket of that name */
export function listenAt(path: string): number {
  return openSocket(path, (fd, address) => {
    // The system makes the file with the rights of the socket.
    fchmodSync(fd, 0o600);
    const result: number = bind(fd, address, address.length);
    return result === 0 ? listen(fd, BACKLOG) : result;
  });
}

function openSocket(path: string, use: (fd: number, address: Buffer) => number): number {
  const fd: number = makeSocket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError('make a socket');
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  if (use(fd, Buffer.concat([family, Buffer.from(`${path}\0`)])) === 0) return fd;
  const error = systemError(`use the socket ${path}`);
  close(fd);
  throw error;
}

/** The next one that has connected; undefined when it has left again. */
export function acceptFrom(listener: number): number | undefined {
  const fd: number = accept4(listener, null, null, SOCK_CLOEXEC);
  return fd < 0 ? undefined : fd;
}

/**
 * Sends a text, and with it open files, which the other side then has as well: from now on, also when this process is
 * killed before the other side reads.
 * @returns false when the socket takes nothing just now
 * @throws the system's error: EPIPE or ECONNRESET when the other side has gone
 */
export function sendText(fd: number, text: string, files: readonly number[] = []): boolean {
  const bytes = Buffer.from(text);
  const control = Buffer.alloc(
    files.length === 0 ? 0 : CONTROL_HEAD + Math.ceil(files.length / 2) * 8,
  );
  if (files.length > 0) {
    control.writeBigUInt64LE(BigInt(CONTROL_HEAD + files.length * 4), 0);
    control.writeInt32LE(SOL_SOCKET, 8);
    control.writeInt32LE(SCM_RIGHTS, 12);
    for (const [i, file] of files.entries()) control.writeInt32LE(file, CONTROL_HEAD + i * 4);
  }
  const sent: number = Number(sendmsg(fd, messageOf(bytes, control), MSG_NOSIGNAL | MSG_DONTWAIT));
  // The texts are short, so that a socket takes them whole or not at all.
  if (sent >= 0) return true;
  const code = lastError();
  if (code === 'EAGAIN') return false;
  throw systemError('send to another process', code);
}

export interface Received {
  readonly bytes: Buffer;
  readonly files: readonly number[];
  /** The last of it came with files that this process may not have: it has as many open as it may. None of them is there. */
  readonly isCut: boolean;
}

/** Where messages come in: making and clearing so much for each took longer than receiving it. */
const bytes = Buffer.alloc(CHUNK_BYTES);
const control = Buffer.alloc(CONTROL_HEAD + MAX_FILES * 4);
const NOTHING: Received = { bytes: Buffer.alloc(0), files: [], isCut: false };

/** What has come in; undefined when the other side has gone. The socket has to have something to read. */
export function receive(fd: number): Received | undefined {
  const into = messageOf(bytes, control);
  const length = Number(recvmsg(fd, into, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  if (length < 0 && lastError() === 'EAGAIN') return NOTHING;
  if (length <= 0) return undefined;
  const files: number[] = [];
  if (Number(into.controlLength) >= CONTROL_HEAD) {
    const end = Number(control.readBigUInt64LE(0));
    for (let at = CONTROL_HEAD; at + 4 <= end; at += 4) files.push(control.readInt32LE(at));
  }
  const isCut = (into.flags & MSG_CTRUNC) !== 0;
  if (isCut) for (const fd of files.splice(0)) close(fd);
  return { bytes: Buffer.from(bytes.subarray(0, length)), files, isCut };
}

function messageOf(bytes: Buffer, control: Buffer) {
  return {
    ...{ name: null, nameLength: 0, flags: 0 },
    ...{ pieces: { base: bytes, length: bytes.length }, pieceCount: 1 },
    ...{ control: control.length === 0 ? null : control, controlLength: control.length },
  };
}
