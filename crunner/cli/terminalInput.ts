import { closeSync } from 'node:fs';
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { ReadStream } from 'node:tty';
import koffi from 'koffi';
import { systemErrorCode } from '../../lib/errors.ts';
import type { StreamTarget } from '../attached/runCommand.ts';
import { isStdinOfOthers } from './terminal.ts';

/** How often to look whether a crunner in the background was brought to the front: nothing says so to a running one. */
const POLL_MS = 200;
const CHUNK_BYTES = 64 * 1024;

interface Pipe {
  readonly readEnd: number;
  readonly writer: Socket;
}

/**
 * What is typed at the terminal, for jobs. A job leads a session of its own, so that the kernel would not keep it from reading a
 * terminal that is another's by now: it gets a pipe, and this process reads the terminal while it is in its foreground.
 */
export class TerminalInput {
  #pipe: Pipe | undefined;
  #terminal: ReadStream | undefined;
  #isFull = false;
  #poll: NodeJS.Timeout | undefined;

  /** The stdin of a part that starts now; what an earlier part has left unread, before an end of
   * input, is the next one's. Empty in the background. */
  forPart(): StreamTarget {
    if (isStdinOfOthers()) return 'ignore';
    if (this.#terminal === undefined) this.#open();
    this.resume();
    return this.#pipe?.readEnd ?? 'ignore';
  }

  /** Leaves what is typed from now on to others. */
  pause(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#terminal?.pause();
  }

  /** Goes on reading as soon as the terminal is ours. */
  resume(): void {
    if (this.#terminal === undefined) return;
    if (isStdinOfOthers()) {
      this.#terminal.pause();
      this.#poll ??= setInterval(() => this.resume(), POLL_MS).unref();
      return;
    }
    clearInterval(this.#poll);
    this.#poll = undefined;
    if (!this.#isFull) this.#terminal.resume();
  }

  close(): void {
    this.#endTyping();
    this.#pipe?.writer.destroy();
    if (this.#pipe !== undefined) closeSync(this.#pipe.readEnd);
    this.#pipe = undefined;
  }

  #open(): void {
    this.close(); // of a part before the last end of input
    const pipe = makePipe();
    this.#pipe = pipe;
    this.#isFull = false;
    pipe.writer.on('drain', () => {
      this.#isFull = false;
      this.resume();
    });
    // `onread`: without it a pause takes effect only after one more read.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      onread: {
        buffer: Buffer.allocUnsafe(CHUNK_BYTES),
        callback: (length, bytes) => {
          this.#isFull = !pipe.writer.write(Buffer.from(bytes.subarray(0, length)));
          return !this.#isFull;
        },
      },
    };
    this.#terminal = new ReadStream(0, options);
    const end = () => {
      this.#endTyping();
      pipe.writer.end();
    };
    // Ctrl-D; or a terminal that has hung up, or whose session has no shell to wait for.
    this.#terminal.on('end', end).on('error', (error) => {
      if (systemErrorCode(error) !== 'EIO') throw error;
      end();
    });
  }

  /** A later part may be typed to again: a terminal's end of input is that of one reader. */
  #endTyping(): void {
    this.pause();
    this.#terminal?.destroy();
    this.#terminal = undefined;
  }
}

const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** A real pipe, not the socket that Node makes: a command may open /dev/stdin. Neither end is handed down unasked. */
function makePipe(): Pipe {
  const libc = koffi.load(null);
  const pipe = libc.func('int pipe(_Out_ int *fds)');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const ends: [number, number] = [-1, -1];
  if (pipe(ends) !== 0) throw new Error('no pipe for what is typed: too many open files');
  for (const end of ends) fcntl(end, F_SETFD, 'int', FD_CLOEXEC);
  const [readEnd, fd] = ends;
  return { readEnd, writer: new Socket({ fd, readable: false, writable: true }) };
}
