import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PmanError } from '../errors.ts';
import type { Answered, Asked, LineOrder, LinesRead } from './lineOrders.ts';
import type { Found } from './lineSearch.ts';

/** A thread of which nobody has wanted anything for so long is ended, in milliseconds. */
const IDLE_MS = 60_000;
/** The memory of a thread beside its buffers. */
const MEMORY_MIB = 256;

const MOST_WAITING = 256;

interface Waiting {
  readonly order: LineOrder;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  resolve(answer: LinesRead | Found): void;
  reject(error: Error): void;
}

/** The thread was ended, since something took too long. */
export class TooLongError extends Error {}

/**
 * A thread that reads outputs, so that the one that answers requests is not held up. It is started when it is needed. It
 * does one thing after the other; when one takes longer than it may, the thread is ended, and the rest goes to a new one.
 */
export class LineThread {
  #worker: Worker | undefined;
  #waiting: Waiting[] = [];
  #now: { readonly number: number; readonly timer: NodeJS.Timeout } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #asked = 0;

  /**
   * @param limitMs how long it may take once it is its turn
   * @param signal given when nobody waits for the answer any more
   * @throws TooLongError when it takes longer; PmanError busy when too many wait
   */
  ask(order: LineOrder, limitMs: number, signal: AbortSignal): Promise<LinesRead | Found> {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new PmanError('busy', 'too many wait for lines of outputs', { retryAfterSeconds: 2 });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ order, limitMs, signal, resolve, reject });
      this.#next();
    });
  }

  close(): void {
    clearTimeout(this.#now?.timer);
    this.#now = undefined;
    this.#stop();
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new PmanError('unavailable', 'the server ends'));
    }
  }

  #next(): void {
    if (this.#now !== undefined) return;
    for (; this.#waiting[0]?.signal.aborted; this.#waiting.shift()) {
      this.#waiting[0].reject(new PmanError('busy', 'the client went away'));
    }
    const [first] = this.#waiting;
    clearTimeout(this.#idle);
    if (first === undefined) {
      this.#idle = setTimeout(() => this.#stop(), IDLE_MS).unref();
      return;
    }
    this.#asked += 1;
    const { order, limitMs } = first;
    const late = () => this.#end(new TooLongError(`it took longer than ${limitMs} ms`));
    this.#now = { number: this.#asked, timer: setTimeout(late, limitMs) };
    this.#worker ??= this.#start();
    this.#worker.postMessage({ number: this.#asked, order } satisfies Asked);
  }

  #start(): Worker {
    const worker = new Worker(programFile(), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
    });
    // The server need not wait for it.
    worker.unref();
    worker.on('message', (answered: Answered) => {
      if (answered.number !== this.#now?.number) return;
      const done = this.#take();
      if ('answer' in answered) done?.resolve(answered.answer);
      else done?.reject(new Error(answered.error));
      this.#next();
    });
    worker.on('error', (error) => this.#failed(worker, error));
    worker.on('exit', () => this.#failed(worker, new Error('the thread ended')));
    return worker;
  }

  #failed(worker: Worker, error: Error): void {
    if (worker === this.#worker) this.#end(error);
  }

  /** Ends the thread, and with it what it is at. */
  #end(error: Error): void {
    this.#stop();
    if (this.#now === undefined) return;
    this.#take()?.reject(error);
    this.#next();
  }

  #stop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    clearTimeout(this.#idle);
    void worker?.terminate();
  }

  #take(): Waiting | undefined {
    clearTimeout(this.#now?.timer);
    this.#now = undefined;
    return this.#waiting.shift();
  }
}

/** Beside this file when that is compiled; of the checkout's build when it is not. */
function programFile(): string {
  const beside = fileURLToPath(new URL('./lineWorker.js', import.meta.url));
  if (existsSync(beside)) return beside;
  return fileURLToPath(new URL('../../dist/bin/lineWorker.js', import.meta.url));
}
