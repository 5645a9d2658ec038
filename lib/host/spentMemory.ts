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
/** After so many looks without work nobody has anything to do. */
const QUIET_LOOKS = 7;
/** So much more memory than after the last rest is worth another one, in bytes. */
const SOME_MORE = 8 * 1024 * 1024;
/** A larger heap is left to V8, which collects it in small steps: at once it takes too long. In bytes. */
const MOST_HEAP = 256 * 1024 * 1024;
/** At rest it is collected more than once. */
const MOST_HEAP_AT_REST = 96 * 1024 * 1024;

/** What it needs of the system; for tests. */
export interface MemorySystem {
  /** Memory of this process, in bytes. */
  readonly resident: () => number;
  readonly heapUsed: () => number;
  /** Frees what nobody needs, and gives it back to the system. */
  readonly release: () => void;
  /** Lets go of what only work needs, too: the next request has to get some of it back. */
  readonly rest: () => Promise<void>;
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
    if (isTime && this.#system.heapUsed() < MOST_HEAP) {
      this.#system.release();
      // What is still there is needed.
      this.#least = this.#system.resident();
    }
    if (this.#quiet === QUIET_LOOKS) this.#rest();
  }

  /** Nobody asks for anything: it is not looked at any more until something is to be done. */
  #rest(): void {
    this.close();
    this.#quiet = 0;
    const { resident, heapUsed, rest } = this.#system;
    if (resident() < this.#rested + SOME_MORE || heapUsed() > MOST_HEAP_AT_REST) return;
    void rest().then(() => {
      this.#rested = resident();
    });
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
  collect ??= collector();
  collect();
  void giveBack();
}

async function rest(): Promise<void> {
  await collectAll();
  await giveBack();
  await natively(async () => (await import('./filePages.ts')).releaseFilePages());
}

/**
 * Collects all that can be collected, and makes the heap as small as it gets: only so V8 gives back its young generation,
 * of up to 32 MB, and moves together what is left. It offers that to inspectors; none can connect here.
 */
async function collectAll(): Promise<void> {
  await natively(async () => {
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    session.connect();
    await session.post('HeapProfiler.collectGarbage').finally(() => session.disconnect());
  });
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
    // not glibc, or there is no binary of koffi for this machine, or Node was built without an inspector
  }
}
