import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import type { PartStdio, StreamTarget } from './stdio.ts';
import { writeFd } from './writeFd.ts';

/** What a pipe holds, unless somebody has made it hold more. */
const CHUNK_BYTES = 64 * 1024;
/** The most that a pipe can be made to hold without being root, in bytes. */
const MAX_PIPE_BYTES = 1024 * 1024;

/** The streams of a part, and what carries its output where it shall go. */
export interface RelayedStdio {
  readonly stdio: PartStdio;
  /** The part has started: this process is none of those that write. */
  release(): void;
  /** The part does not start. */
  abandon(): void;
  /**
   * Call it when the part has ended: resolves when all that it has written is where it shall be. Who still writes then goes
   * on to do so.
   * Rejects with the system's error when the output was not taken (a full disk).
   */
  finish(): Promise<void>;
}

/**
 * Gives a part pipes in the place of files and sockets. A part that opens `/dev/stdout` or the like by its name opens the file
 * anew, which cuts off what the part has written before; a socket cannot be opened at all (ENXIO). Two streams with one target
 * share a pipe, so that their order stays. Pipes and terminals are handed on as they are.
 */
export async function relayed([stdin, stdout, stderr]: PartStdio): Promise<RelayedStdio> {
  const relays = new Map<string, Relay>();
  const through = async (target: StreamTarget, own: number): Promise<StreamTarget> => {
    const fd = target === 'inherit' ? own : target;
    const place = fd === 'ignore' ? undefined : cutPlace(fd);
    if (fd === 'ignore' || place === undefined) return target;
    const relay = relays.get(place) ?? (await openRelay(fd));
    if (relay === undefined) return target;
    relays.set(place, relay);
    return relay.writer;
  };
  const stdio = [stdin, await through(stdout, 1), await through(stderr, 2)] as const;
  const all = [...relays.values()];
  return {
    stdio,
    release: () => {
      for (const relay of all) closeSync(relay.writer);
    },
    abandon: () => {
      for (const relay of all) relay.abandon();
    },
    finish: async () => {
      for (const relay of all) await relay.finish();
    },
  };
}

/** Names the file or the socket that a descriptor leads to; undefined for what can be opened by its name without harm. */
function cutPlace(fd: number): string | undefined {
  const stat = fstatSync(fd);
  return stat.isFile() || stat.isSocket() ? `${stat.dev} ${stat.ino}` : undefined;
}

/**
 * Makes a pipe; undefined where none can be made (no folder for temporary files). The program mkfifo makes it, in half of the
 * time that loading a library for calls of the system takes.
 */
async function openRelay(target: number): Promise<Relay | undefined> {
  const path = join(tmpdir(), `crunner-${crypto.randomUUID()}.pipe`);
  const maker = spawn('mkfifo', ['-m', '600', path], { stdio: 'ignore' });
  if ((await exitOf(maker)) !== 0) return undefined;
  try {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, 'w');
    return new Relay({ reader, writer, heir: openSync(path, 'r'), target });
  } finally {
    rmSync(path, { force: true });
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(null)).once('exit', resolve);
  });
}

interface RelayEnds {
  /** Does not wait. */
  readonly reader: number;
  readonly writer: number;
  /** The same end again, for a program that waits when there is nothing. */
  readonly heir: number;
  readonly target: number;
}

/** Copies what comes out of a pipe; reads on only when that is written. */
class Relay {
  readonly writer: number;
  readonly #reader: number;
  readonly #heir: number;
  readonly #target: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #socket: Socket;
  #isEnding = false;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor({ reader, writer, heir, target }: RelayEnds) {
    this.writer = writer;
    this.#reader = reader;
    this.#heir = heir;
    this.#target = target;
    const isFile = fstatSync(target).isFile();
    const onread: OnReadOpts = {
      buffer: this.#buffer,
      callback: (bytes) => {
        if (isFile) return this.#copyNow(bytes);
        this.#writing = this.#copy(bytes);
        return false; // until that is written
      },
    };
    // The types have no onread here; Node's documentation does.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: reader,
      readable: true,
      writable: false,
      onread,
    };
    this.#socket = new Socket(options).on('error', (error) => this.#giveUp(error));
    this.#socket.once('close', () => closeSync(heir));
    this.#socket.unref();
    this.#socket.resume();
  }

  abandon(): void {
    closeSync(this.writer);
    this.#socket.destroy();
  }

  async finish(): Promise<void> {
    this.#isEnding = true;
    this.#socket.pause();
    await this.#writing;
    // What was written before the part ended waits in the pipe: more than that is not waited for.
    for (let rest = MAX_PIPE_BYTES; !this.#socket.destroyed; ) {
      const bytes = this.#readNow();
      if (bytes === 0) break;
      if (bytes === undefined || rest <= 0) {
        this.#handOver();
        break;
      }
      rest -= bytes;
      await this.#copy(bytes);
    }
    this.#socket.destroy();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** 0 when nobody writes any more, undefined when nothing waits. */
  #readNow(): number | undefined {
    try {
      return readSync(this.#reader, this.#buffer, 0, CHUNK_BYTES, null);
    } catch (error) {
      if (systemErrorCode(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }

  async #copy(bytes: number): Promise<void> {
    try {
      const isRead = await writeFd(this.#target, this.#buffer.subarray(0, bytes));
      if (!isRead) this.#socket.destroy();
      else if (!this.#isEnding) this.#socket.resume();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** A file takes what it is given at once; says whether it did. Waiting for others' turns would take most of the time. */
  #copyNow(bytes: number): boolean {
    try {
      for (let from = 0; from < bytes; ) {
        from += writeSync(this.#target, this.#buffer, from, bytes - from);
      }
      return true;
    } catch (error) {
      this.#giveUp(error);
      return false;
    }
  }

  /** With its reader gone, the part is told that nobody takes what it writes (SIGPIPE). */
  #giveUp(error: unknown): void {
    this.#failure ??= { error };
    this.#socket.destroy();
  }

  /** A child of the part goes on writing: a program of its own copies that from now on. */
  #handOver(): void {
    const cat = spawn('cat', { detached: true, stdio: [this.#heir, this.#target, 'ignore'] });
    cat.on('error', () => undefined); // without it, nobody reads any more
    cat.unref();
  }
}
