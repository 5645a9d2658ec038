import { lastError, libc, systemError } from './nativeLibrary.ts';

// <sys/epoll.h> of Linux: the structure is packed on x86-64 only.
const EPOLL_CLOEXEC = 0o2000000;
const ADD = 1;
const REMOVE = 2;
const EPOLLIN = 1;
const EPOLLHUP = 0x10;
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_AT = EVENT_BYTES - 8;
const AT_ONCE = 128;

const create = libc.func('int epoll_create1(int flags)');
const control = libc.func('int epoll_ctl(int epoll, int operation, int fd, void *event)');
const wait = libc.func('int epoll_wait(int epoll, void *events, int most, int timeout)');

export interface ReadyFile {
  readonly fd: number;
  /** The other side has gone: nothing more comes than what waits. */
  readonly isHungUp: boolean;
}

/** Descriptors that something is waited for at. */
export class Poll {
  readonly #fd: number;
  readonly #events = Buffer.alloc(EVENT_BYTES * AT_ONCE);

  constructor() {
    this.#fd = create(EPOLL_CLOEXEC);
    if (this.#fd < 0) throw systemError('wait for descriptors');
  }

  add(fd: number): void {
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeUInt32LE(EPOLLIN, 0);
    event.writeInt32LE(fd, DATA_AT);
    if (control(this.#fd, ADD, fd, event) !== 0) throw systemError('wait for a descriptor');
  }

  remove(fd: number): void {
    control(this.#fd, REMOVE, fd, Buffer.alloc(EVENT_BYTES));
  }

  /**
   * Stops this process until there is something to read, or the end of something; names the descriptors, the one that
   * became ready first in front. None after the time-out.
   * @param timeoutMs -1: for ever
   */
  ready(timeoutMs: number): readonly ReadyFile[] {
    const count: number = wait(this.#fd, this.#events, AT_ONCE, timeoutMs);
    if (count < 0 && lastError() !== 'EINTR') throw systemError('wait for descriptors');
    return Array.from({ length: Math.max(count, 0) }, (_, i) => ({
      fd: this.#events.readInt32LE(i * EVENT_BYTES + DATA_AT),
      isHungUp: (this.#events.readUInt32LE(i * EVENT_BYTES) & EPOLLHUP) !== 0,
    }));
  }
}
