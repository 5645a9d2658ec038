import { closeSync, rmSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { holdIfThere } from '../../lib/host/heldFolders.ts';
import { strangerAt } from '../../lib/host/peerUser.ts';
import { strangerWords } from '../../lib/host/strangers.ts';
import type { FromCopier, ToCopier } from './copierProtocol.ts';
import { ignoreSignals } from './nativeLibrary.ts';
import { Poll } from './nativePoll.ts';
import { acceptFrom, listenAt, receive, sendText } from './nativeSocket.ts';
import { CopiedPart, type CopiedStream } from './outputCopier.ts';
import { MERGE_MS } from './outputLog.ts';
import { copierSocket, lineReader } from './runnerProtocol.ts';

/** The descriptor that connects it with the runner which has started it. */
const FIRST_RUNNER = 3;
/** How long before a disk that took nothing is tried again, in milliseconds. */
const RETRY_MS = 500;
/** How long it waits for a runner when there is nothing to copy, in milliseconds. */
const LONELY_MS = 2000;

type CopyOrder = Extract<ToCopier, { readonly do: 'copy' }>;
/** In place of a pipe that came and could not be taken. */
const NO_FILE = -1;

interface ConnectedRunner {
  readonly decoder: StringDecoder;
  readonly takeText: (text: string) => void;
  /** Files that came with lines which have not been read to their ends. */
  readonly files: number[];
}

/**
 * The process that writes what the jobs of a spool say into their files: it reads the pipes that the jobs write to, and goes
 * on when pman and the runner have ended or were killed (docs/decisions/0016). It ends when no runner is connected and
 * no pipe is left. Started as `node outputCopierProcess.js <spool folder>`, connected with the runner by descriptor 3.
 *
 * It waits for the system by calls that stop the process: nothing else is to be done, and that takes the least time.
 */
class OutputCopier {
  readonly #poll = new Poll();
  readonly #listener: number | undefined;
  readonly #runners = new Map<number, ConnectedRunner>();
  readonly #parts = new Map<string, CopiedPart>();
  readonly #streams = new Map<number, CopiedStream>();
  readonly #stuck = new Set<CopiedStream>();
  /** Parts whose pipes could not be taken yet. */
  readonly #lacking = new Set<string>();
  readonly #toFlush = new Set<CopiedPart>();
  /** What no runner was there to hear. */
  readonly #untold: FromCopier[] = [];
  /** Who waits for what is in the pipes of a part. */
  #unsettled: { readonly runner: number; readonly part: string }[] = [];
  #triedAt = 0;

  /** @param listener where later runners connect; a copier without one serves its first runner all the same */
  constructor(listener: number | undefined) {
    this.#listener = listener;
    if (listener !== undefined) this.#poll.add(listener);
    this.#connected(FIRST_RUNNER);
  }

  /** Returns when there is nothing to do any more. */
  run(): void {
    for (;;) {
      const ready = this.#poll.ready(this.#timeoutMs());
      for (const { fd, isHungUp } of ready) {
        const stream = this.#streams.get(fd);
        if (stream !== undefined) this.#copy(stream, isHungUp);
        else if (fd === this.#listener) this.#accept(fd);
        else if (this.#runners.has(fd)) this.#hear(fd);
      }
      if (ready.length === 0) this.#flush();
      this.#retry();
      if (ready.length === 0 && this.#isIdle) return;
    }
  }

  get #isIdle(): boolean {
    return this.#runners.size === 0 && this.#streams.size === 0;
  }

  #timeoutMs(): number {
    if (this.#toFlush.size > 0) return MERGE_MS;
    if (this.#stuck.size > 0) return RETRY_MS;
    return this.#isIdle ? LONELY_MS : -1;
  }

  #accept(listener: number): void {
    const fd = acceptFrom(listener);
    if (fd === undefined) return;
    const stranger = strangerAt(fd);
    if (stranger === undefined) {
      this.#connected(fd);
      return;
    }
    closeSync(fd);
    const words = strangerWords(stranger, 'the socket of the copier');
    if (words !== undefined) console.error(words);
  }

  #connected(fd: number): void {
    const files: number[] = [];
    const takeText = lineReader<ToCopier>((order) => this.#obey(fd, order, files));
    this.#runners.set(fd, { decoder: new StringDecoder('utf8'), takeText, files });
    this.#poll.add(fd);
    for (const message of this.#untold.splice(0)) this.#tell(fd, message);
  }

  #hear(fd: number): void {
    const runner = this.#runners.get(fd);
    const received = receive(fd);
    if (received === undefined) {
      this.#poll.remove(fd);
      this.#runners.delete(fd);
      closeSync(fd);
    } else if (runner !== undefined) {
      // A message with files is a line about a part, whose two pipes they are.
      runner.files.push(...(received.isCut ? [NO_FILE, NO_FILE] : received.files));
      runner.takeText(runner.decoder.write(received.bytes));
    }
  }

  #obey(runner: number, order: ToCopier, files: number[]): void {
    const { part } = order;
    const known = this.#parts.get(part);
    switch (order.do) {
      case 'copy':
        this.#begin(runner, order, files.splice(0, 2));
        return;
      case 'settle':
        this.#unsettled.push({ runner, part });
        for (const stream of known?.streams ?? []) this.#settle(stream);
        known?.log.flush();
        this.#answerSettled();
        return;
      case 'which': {
        const pipes = known?.streams.map(({ pipe }) => pipe) ?? [];
        this.#tell(runner, { kind: 'pipes', part, pipes });
        return;
      }
    }
  }

  #begin(runner: number, order: CopyOrder, [out, err]: readonly number[]): void {
    const { part: name, maxBytes = Number.POSITIVE_INFINITY } = order;
    if (out === undefined || err === undefined) return;
    if (out === NO_FILE || err === NO_FILE) {
      this.#lacking.add(name);
      this.#tell(runner, { kind: 'lacking', part: name });
      return;
    }
    // Sent again: the pipes are the same, and so is what waits in them.
    for (const stream of this.#parts.get(name)?.streams ?? []) this.#ended(stream);
    const part = new CopiedPart(name, [out, err], maxBytes);
    this.#parts.set(name, part);
    for (const stream of part.streams) {
      this.#streams.set(stream.reader, stream);
      this.#poll.add(stream.reader);
    }
    if (!this.#lacking.delete(name)) return;
    // Somebody may wait for it by now.
    for (const stream of part.streams) this.#settle(stream);
    this.#answerSettled();
  }

  /** All that waits now. */
  #settle(stream: CopiedStream): void {
    while (this.#copy(stream, false) === 'more');
  }

  #copy(stream: CopiedStream, isHungUp: boolean) {
    const { part, name, reader } = stream;
    const state = stream.copy(isHungUp, () => {
      this.#announce({ kind: 'full', part: part.name, stream: name });
    });
    if (stream.needsFlush) this.#toFlush.add(part);
    if (state === 'stuck' && !this.#stuck.has(stream)) {
      this.#stuck.add(stream);
      this.#poll.remove(reader);
      this.#triedAt = performance.now();
    } else if (state === 'ended') this.#ended(stream);
    return state;
  }

  #ended(stream: CopiedStream): void {
    if (stream.hasEnded) return;
    // While it is open: the runner has the same pipe open, so that the poll would go on with it under this number.
    this.#poll.remove(stream.reader);
    this.#streams.delete(stream.reader);
    this.#stuck.delete(stream);
    stream.close();
    const { part } = stream;
    if (!part.hasEnded) return;
    part.log.flush();
    this.#toFlush.delete(part);
    if (this.#parts.get(part.name) === part) this.#parts.delete(part.name);
  }

  #flush(): void {
    for (const part of this.#toFlush) part.log.flush();
    this.#toFlush.clear();
  }

  #retry(): void {
    if (this.#stuck.size === 0 || performance.now() - this.#triedAt < RETRY_MS) return;
    this.#triedAt = performance.now();
    for (const stream of [...this.#stuck]) {
      if (this.#copy(stream, false) === 'stuck') continue;
      this.#stuck.delete(stream);
      if (!stream.hasEnded) this.#poll.add(stream.reader);
    }
    this.#answerSettled();
  }

  #answerSettled(): void {
    const isStuck = (name: string) =>
      this.#lacking.has(name) || [...this.#stuck].some(({ part }) => part.name === name);
    const waiting = this.#unsettled;
    this.#unsettled = waiting.filter(({ part }) => isStuck(part));
    for (const { runner, part } of waiting)
      if (!isStuck(part)) this.#tell(runner, { kind: 'settled', part });
  }

  #announce(message: FromCopier): void {
    if (this.#runners.size === 0) this.#untold.push(message);
    for (const fd of this.#runners.keys()) this.#tell(fd, message);
  }

  #tell(fd: number, message: FromCopier): void {
    try {
      // A runner reads all the time; one that is stopped asks again when it goes on.
      sendText(fd, `${JSON.stringify(message)}\n`);
    } catch (error) {
      if (!['EPIPE', 'ECONNRESET', 'EBADF'].includes(systemErrorCode(error) ?? '')) throw error;
    }
  }
}

function main(spool: string): void {
  // What ends the server does not end this, as with the runner. A file that is limited is an error here.
  ignoreSignals(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGXFSZ', 'SIGPIPE']);
  holdIfThere(spool);
  const path = copierSocket(spool);
  const listener = listen(path);
  const number = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const own = number();
  new OutputCopier(listener).run();
  // Unless a later copier has taken the place.
  if (number() === own) rmSync(path, { force: true });
  process.exit(0);
}

function listen(path: string): number | undefined {
  try {
    rmSync(path, { force: true });
    return listenAt(path);
  } catch (error) {
    // The spool was removed, or its disk takes nothing.
    console.error(`${path}: ${messageOf(error)}`);
    return undefined;
  }
}

const [spool] = process.argv.slice(2);
if (spool === undefined) {
  console.error('usage: outputCopierProcess <spool folder>');
  process.exit(2);
}
main(spool);
