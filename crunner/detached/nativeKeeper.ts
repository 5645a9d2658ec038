import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  openSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { findCopier, startCopier } from './copierContact.ts';
import type { FromCopier, ToCopier } from './copierProtocol.ts';
import { makePipe, unreadBytes } from './nativePipe.ts';
import { sendText } from './nativeSocket.ts';
import type { OnFull, OutputKeeper, OutputOptions, PartOutputs } from './outputKeeper.ts';
import { lineReader } from './runnerProtocol.ts';
import { partPlace } from './spool.ts';

export interface NativeKeeperOptions {
  readonly spool: string;
  readonly onFull: OnFull;
  /** The copier's program; default: the one beside this file. */
  readonly program?: string;
}

/** A part whose pipes this process holds as well: when the copier is killed, the next one goes on. */
interface HeldPart {
  readonly readers: readonly [number, number];
  readonly maxBytes: number | undefined;
}

/** How long before an order is given again that the copier's socket has no room for, in milliseconds. */
const RETRY_MS = 10;
/** How long before another copier is started in place of one that has ended, in milliseconds. */
const RESPAWN_MS = 100;
/** How long before the pipes of a part are sent again that the copier could not take, in milliseconds. */
const LACKING_MS = 200;
const GONE = new Set(['EPIPE', 'ECONNRESET', 'EBADF']);

/** Has outputs written by a process of its own, the copier of the spool: finds the one that is there, or starts one. */
export class NativeKeeper implements OutputKeeper {
  readonly #options: NativeKeeperOptions;
  readonly #held = new Map<string, HeldPart>();
  /** Who waits for answers, by kind and part. */
  readonly #asked = new Map<string, Array<(answer: FromCopier) => void>>();
  /** Orders that the socket had no room for. */
  #waiting: Array<{ readonly order: ToCopier; readonly files: readonly number[] }> = [];
  #link: { readonly fd: number; readonly socket: Socket } | undefined;
  #isClosed = false;

  constructor(options: NativeKeeperOptions) {
    this.#options = options;
  }

  open(part: string, { maxBytes, owner }: OutputOptions): PartOutputs {
    const out = makePipe();
    const err = makePipe();
    const readers = [out.reader, err.reader] as const;
    // Whoever opens a pipe by its name needs the right to.
    if (owner !== undefined) for (const fd of readers) fchownSync(fd, owner.uid, owner.gid);
    this.#hold(part, { readers, maxBytes });
    return {
      ...{ out: out.writer, err: err.writer, pipes: readers.flatMap(pipeName) },
      release: () => {
        closeSync(out.writer);
        closeSync(err.writer);
      },
    };
  }

  async settle(part: string): Promise<boolean> {
    const held = this.#held.get(part);
    const isSilent = held !== undefined && hasWrittenNothing(part, held);
    if (!isSilent) await this.#ask({ do: 'settle', part }, 'settled');
    this.#held.delete(part);
    // What was not sent yet must not be sent with descriptors that are others' by then.
    this.#waiting = this.#waiting.filter(({ order }) => order.part !== part);
    for (const reader of held?.readers ?? []) closeSync(reader);
    return isSilent;
  }

  async adopt(part: string, pid: number, { maxBytes }: OutputOptions): Promise<void> {
    const isCopied = (await this.pipesOf(part)).length > 0;
    const readers = [1, 2].map((fd) => openPipeOf(pid, fd)).filter((fd) => fd !== undefined);
    const [out, err] = readers;
    if (out === undefined || err === undefined) {
      for (const fd of readers) closeSync(fd);
      return;
    }
    const held = { readers: [out, err], maxBytes } as const;
    // For the next copier, if the one that has them is killed.
    if (isCopied) this.#held.set(part, held);
    else this.#hold(part, held);
  }

  async pipesOf(part: string): Promise<readonly string[]> {
    const answer = await this.#ask({ do: 'which', part }, 'pipes');
    return answer?.kind === 'pipes' ? answer.pipes : [];
  }

  /** Leaves the copier to itself: it goes on until the pipes that it has are at their ends. */
  close(): void {
    this.#isClosed = true;
    this.#link?.socket.destroy();
  }

  #hold(part: string, held: HeldPart): void {
    this.#held.set(part, held);
    if (this.#link === undefined) this.#connect();
    else this.#sendPart(part, held);
  }

  #sendPart(part: string, { readers, maxBytes }: HeldPart): void {
    this.#send({ do: 'copy', part, ...(maxBytes === undefined ? {} : { maxBytes }) }, readers);
  }

  async #ask(order: ToCopier, kind: FromCopier['kind']): Promise<FromCopier | undefined> {
    const key = `${kind} ${order.part}`;
    const answer = new Promise<FromCopier>((resolve) => {
      this.#asked.set(key, [...(this.#asked.get(key) ?? []), resolve]);
    });
    try {
      if (this.#link === undefined) this.#connect();
      else this.#send(order);
    } catch (error) {
      console.error(`the copier of outputs cannot be asked: ${messageOf(error)}`);
      return undefined;
    }
    return answer;
  }

  #send(order: ToCopier, files: readonly number[] = []): void {
    if (this.#link === undefined) return;
    const { fd } = this.#link;
    try {
      if (this.#waiting.length === 0 && sendText(fd, `${JSON.stringify(order)}\n`, files)) return;
    } catch (error) {
      // It has just ended: the next one is told everything.
      if (GONE.has(systemErrorCode(error) ?? '')) return;
      throw error;
    }
    if (this.#waiting.push({ order, files }) === 1) void this.#sendLater();
  }

  async #sendLater(): Promise<void> {
    while (this.#waiting[0] !== undefined && this.#link !== undefined) {
      const { order, files } = this.#waiting[0];
      try {
        if (sendText(this.#link.fd, `${JSON.stringify(order)}\n`, files)) this.#waiting.shift();
        else await sleep(RETRY_MS);
      } catch (error) {
        if (!GONE.has(systemErrorCode(error) ?? '')) throw error;
        return;
      }
    }
  }

  /**
   * Finds a copier or starts one, tells it of all parts, and asks it what no other one has answered.
   * @throws the system's error when none can be started
   */
  #connect(): void {
    const { spool, program } = this.#options;
    const fd = findCopier(spool) ?? startCopier(spool, program);
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.unref();
    socket.setEncoding('utf8');
    socket.on(
      'data',
      lineReader<FromCopier>((message) => this.#hear(message)),
    );
    socket.on('error', () => socket.destroy());
    const link = { fd, socket };
    socket.on('close', () => {
      if (this.#link !== link) return;
      this.#link = undefined;
      if (!this.#isClosed) void this.#replace();
    });
    this.#link = link;
    this.#waiting.length = 0;
    for (const [part, held] of this.#held) this.#sendPart(part, held);
    for (const key of this.#asked.keys()) {
      const [kind = '', part = ''] = splitOnce(key);
      this.#send({ do: kind === 'settled' ? 'settle' : 'which', part });
    }
  }

  /** The copier was killed: unless another one has been connected by then, one is after a moment. */
  async #replace(): Promise<void> {
    await sleep(RESPAWN_MS);
    if (this.#isClosed || this.#link !== undefined) return;
    if (this.#held.size === 0 && this.#asked.size === 0) return;
    try {
      this.#connect();
    } catch (error) {
      console.error(`the copier of outputs cannot be replaced: ${messageOf(error)}`);
      void this.#replace();
    }
  }

  /** The copier has asked for the pipes of a part once more; until it has them, it does not say that the part is settled. */
  #sendAgain(part: string): void {
    const held = this.#held.get(part);
    if (held !== undefined) this.#sendPart(part, held);
  }

  #hear(message: FromCopier): void {
    if (message.kind === 'full') {
      this.#options.onFull(message.part, message.stream);
      return;
    }
    if (message.kind === 'lacking') {
      setTimeout(() => this.#sendAgain(message.part), LACKING_MS).unref();
      return;
    }
    const key = `${message.kind} ${message.part}`;
    const waiting = this.#asked.get(key) ?? [];
    this.#asked.delete(key);
    for (const resolve of waiting) resolve(message);
  }
}

const splitOnce = (key: string) => {
  const at = key.indexOf(' ');
  return [key.slice(0, at), key.slice(at + 1)];
};

/** Whether a part has not written a byte: nothing waits, and nothing was moved. */
function hasWrittenNothing(name: string, { readers }: HeldPart): boolean {
  const part = partPlace(name);
  return (
    readers.every((reader) => unreadBytes(reader) === 0) &&
    (statSync(`${part}.out`, { throwIfNoEntry: false })?.size ?? 0) === 0 &&
    !existsSync(`${part}.err`)
  );
}

function pipeName(fd: number): readonly string[] {
  try {
    return [readlinkSync(`/proc/self/fd/${fd}`)];
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []; // no /proc here
    throw error;
  }
}

/** A pipe that another process writes to; undefined when it writes to something else, or is not there. */
function openPipeOf(pid: number, fd: number): number | undefined {
  const path = `/proc/${pid}/fd/${fd}`;
  try {
    if (!readlinkSync(path).startsWith('pipe:')) return undefined;
    // Does not wait for a writer that has just left.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
