import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often it is looked at while there is work, in milliseconds. */
const LOOK_MS = 1000;
/** So much more memory than at the best is worth it, in bytes. */
const MUCH = 48 * 1024 * 1024;
/** Above this part of its time the main thread has something else to do. */
const LITTLE = 0.25;
/** With no more than this it may be held up, when memory was not given back for so many looks. */
const SOME = 0.75;
const PATIENCE = 5;
/** After so many looks without work nobody has anything to do. V8 makes its young generation smaller when there was none for 5 s. */
const QUIET_LOOKS = 7;
/** So much more memory than after the last rest is worth another one, in bytes. */
const SOME_MORE = 8 * 1024 * 1024;
/** A larger heap is left to V8, which collects it in small steps: at once it takes too long. In bytes. */
const MOST_HEAP = 256 * 1024 * 1024;

/** What it needs of the system; for tests. */
export interface MemorySystem {
  /** Memory of this process, in bytes. */
  readonly resident: () => number;
  readonly heapUsed: () => number;
  /** Frees what nobody needs, and gives it back to the system. */
  readonly release: () => void;
  /** Lets go of what only work needs, too: the next request has to get some of it back. */
  readonly rest: () => void;
  /** The part of its time that the main thread has worked since the last question. */
  readonly busyPart: () => number;
}

/**
 * Gives back the memory that a crowd of requests or a long answer has left, as soon as there is little to do. Left alone, V8
 * collects when it needs room, which a server with little to do never does, and the C library keeps most of what was
 * freed (docs/decisions/0013). When there is nothing to do at all, it keeps only what it uses then (docs/decisions/0041).
 */
export class SpentMemory {
  readonly #system: MemorySystem;
  #timer: NodeJS.Timeout | undefined;
  #hasWorked = false;
  /** For how many looks it has had much more. */
  #waited = 0;
  /** The least that it had, or has had since it was given back. */
  #least = Number.POSITIVE_INFINITY;
  /** For how many looks there was no work. */
  #quiet = 0;
  /** What it had after the last rest. */
  #rested = 0;

  constructor(system: MemorySystem = thisProcess()) {
    this.#system = system;
  }

  /** There was some work: memory is looked at until there is none any more. */
  worked(): void {
    this.#hasWorked = true;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#quiet = this.#hasWorked ? 0 : this.#quiet + 1;
    this.#hasWorked = false;
    const busy = this.#system.busyPart();
    const bytes = this.#system.resident();
    this.#least = Math.min(this.#least, bytes);
    this.#waited = bytes > this.#least + MUCH ? this.#waited + 1 : 0;
    const isTime = this.#waited > 0 && busy < (this.#waited > PATIENCE ? SOME : LITTLE);
    if (isTime && this.#isSmall()) {
      this.#system.release();
      // What is still there is needed.
      this.#least = this.#system.resident();
    }
    if (this.#quiet === QUIET_LOOKS) this.#rest();
  }

  /** Nothing is to be done: it is not looked at any more until something is. */
  #rest(): void {
    this.close();
    if (this.#system.resident() < this.#rested + SOME_MORE || !this.#isSmall()) return;
    this.#system.rest();
    this.#rested = this.#system.resident();
  }

  #isSmall(): boolean {
    return this.#system.heapUsed() < MOST_HEAP;
  }
}

function thisProcess(): MemorySystem {
  let before = performance.eventLoopUtilization();
  return {
    resident: () => process.memoryUsage.rss(),
    heapUsed: () => process.memoryUsage().heapUsed,
    release,
    rest,
    busyPart: () => {
      const { utilization } = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      return utilization;
    },
  };
}

let collect: (() => void) | undefined;

function release(): void {
  void collected();
}

function rest(): void {
  void collected().then(() =>
    natively(async () => (await import('./filePages.ts')).releaseFilePages()),
  );
}

/** Collects what nobody needs, at once, and then gives it back. */
function collected(): Promise<void> {
  collect ??= collector();
  collect();
  return giveBack();
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  // V8 takes compiled code only with the flags that it was compiled with: parts of the program are loaded later.
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? () => void Reflect.apply(gc, undefined, []) : () => {};
}

/** malloc_trim(3), where the C library has it; else it keeps what was freed. */
async function giveBack(): Promise<void> {
  // Buffers are freed a moment after the collection that has found them.
  await new Promise(setImmediate);
  await natively(async () => (await import('./trimHeap.ts')).trimHeap());
}

async function natively(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // not glibc, or there is no binary of koffi for this machine
  }
}
