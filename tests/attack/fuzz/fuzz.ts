import { eventually } from '../../helpers/eventually.ts';
import { request } from '../../helpers/http.ts';
import { exchange, type Outcome } from './exchange.ts';
import { type Mutant, mutantOf } from './mutate.ts';
import { type Program, readCorpus } from './seedRequest.ts';
import { Target } from './target.ts';

export interface FuzzOptions {
  readonly program: Program;
  readonly seed: number;
  readonly count: number;
  /** The number of the first request. */
  readonly first?: number;
  readonly connections?: number;
  readonly tell?: (line: string) => void;
}

export interface FuzzReport {
  /** What went wrong, each with the request that did it, or with those after which it showed. */
  readonly faults: readonly string[];
  readonly statuses: Readonly<Record<string, number>>;
  /** Memory after each tenth of the run. */
  readonly mebi: readonly number[];
  readonly slowestHelloMs: number;
  /** Open files before and after. */
  readonly files: readonly [number, number];
}

/** Requests after which it is seen whether all is well. */
const BATCH = 1000;
/** A busy machine takes its time; a server that hangs takes for ever. */
const HELLO_MS = 20_000;
const MAX_FAULTS = 40;
/** Faults of the same kind and origin that are told. */
const MAX_OF_A_KIND = 3;
/** What the programs promise to answer when it is not the request that is wrong. */
const SERVER_STATUSES = { pman: [503], pfioh: [501, 503] } as const;
/** What a log or an answer holds when something went wrong that nobody had thought of. */
const UNFORESEEN =
  /^\s+at .+:\d+:\d+\)?$|unhandled|uncaught|"internal"|TypeError|RangeError|ReferenceError/im;

/** Attacks a program with mutated requests and sees what becomes of it. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const target = await Target.start(options.program);
  try {
    return await new Run(target, options).all();
  } finally {
    await target.stop();
  }
}

class Run {
  readonly #target: Target;
  readonly #options: FuzzOptions;
  readonly #faults: string[] = [];
  #faultsTold = 0;
  readonly #statuses = new Map<number, number>();
  readonly #mebi: number[] = [];
  readonly #outside: string;
  readonly #kinds = new Map<string, number>();
  #slowestHelloMs = 0;
  #logSeen = 0;

  constructor(target: Target, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#outside = target.outsideNow();
  }

  async all(): Promise<FuzzReport> {
    const { count, first = 0, tell = () => {} } = this.#options;
    await this.#hello();
    const filesBefore = this.#target.openFiles;
    const tenth = Math.max(BATCH, Math.round(count / 10));
    for (let from = first; from < first + count; from += BATCH) {
      const to = Math.min(from + BATCH, first + count);
      await this.#batch(from, to);
      await this.#check(from, to);
      if (to % tenth < BATCH || to === first + count) this.#mebi.push(this.#target.residentMib);
      for (const fault of this.#faults.slice(this.#faultsTold)) tell(`FAULT ${fault}`);
      this.#faultsTold = this.#faults.length;
      tell(`${to - first} of ${count}, ${this.#target.residentMib.toFixed(0)} MiB`);
      if (this.#faults.length > MAX_FAULTS || this.#target.ended !== undefined) break;
      this.#target.tidy();
    }
    return {
      faults: this.#faults,
      statuses: Object.fromEntries(this.#statuses),
      mebi: this.#mebi.map(Math.round),
      slowestHelloMs: Math.round(this.#slowestHelloMs),
      files: [filesBefore, await this.#filesLater(filesBefore)],
    };
  }

  async #batch(from: number, to: number): Promise<void> {
    const { program, seed, connections = 48 } = this.#options;
    const { places, port } = this.#target;
    const seeds = readCorpus(program, places);
    let next = from;
    const work = async () => {
      while (next < to && this.#target.ended === undefined) {
        const index = next;
        next += 1;
        const mutant = mutantOf(seeds, { seed, index, places });
        this.#judge(mutant, await exchange(port, mutant));
      }
    };
    await Promise.all(Array.from({ length: connections }, work));
  }

  #judge(mutant: Mutant, { status, answer }: Outcome): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const allowed: readonly number[] = SERVER_STATUSES[this.#options.program];
    const isKnown = status < 500 || allowed.includes(status);
    if (!isKnown) this.#fault(`status ${status}`, mutant, answer);
    const isMissed = mutant.isWhole && status === 0 && this.#target.ended === undefined;
    if (isMissed) this.#fault('no answer', mutant, answer);
    if (answer.includes('secret-canary\n')) this.#fault('a secret was read', mutant, answer);
    if (isKnown && UNFORESEEN.test(answer) && !UNFORESEEN.test(mutant.bytes.toString('latin1'))) {
      this.#fault('an unforeseen error', mutant, answer);
    }
  }

  #fault(what: string, { index, from, bytes }: Mutant, answer: string): void {
    const kind = `${what} (${from})`;
    const known = this.#kinds.get(kind) ?? 0;
    this.#kinds.set(kind, known + 1);
    if (known >= MAX_OF_A_KIND) return;
    const sent = JSON.stringify(bytes.toString('latin1').slice(0, 1500));
    const came = JSON.stringify(answer.slice(0, 1200));
    this.#faults.push(
      `${what}: seed ${this.#options.seed}, request ${index} (${from}): ${sent}\n  -> ${came}`,
    );
  }

  async #check(from: number, to: number): Promise<void> {
    const range = `seed ${this.#options.seed}, requests ${from} to ${to}`;
    const log = this.#target.log.slice(this.#logSeen);
    this.#logSeen += log.length;
    const line = log.split('\n').find((one) => UNFORESEEN.test(one));
    if (line !== undefined) this.#faults.push(`${range}: the log says: ${line.slice(0, 500)}`);
    if (this.#target.ended !== undefined) {
      this.#faults.push(`${range}: it has ended: ${this.#target.ended}: ${log.slice(-1500)}`);
      return;
    }
    const now = this.#target.outsideNow();
    if (now !== this.#outside)
      this.#faults.push(`${range}: outside was ${this.#outside}, is ${now}`);
    try {
      await this.#hello();
    } catch (error) {
      this.#faults.push(`${range}: hello: ${String(error)}`);
    }
  }

  async #hello(): Promise<void> {
    const { port } = this.#target;
    const message = { action: 'hello', meta: { askAbout: 'timestamp' } };
    const body = this.#options.program === 'pman' ? { payload: message } : message;
    const started = performance.now();
    const { status } = await request(port, 'POST', '/api/v1/cmd', { body, timeoutMs: HELLO_MS });
    this.#slowestHelloMs = Math.max(this.#slowestHelloMs, performance.now() - started);
    if (status !== 200) throw new Error(`status ${status}`);
  }

  /** Connections that were left take a while to be closed. */
  async #filesLater(before: number): Promise<number> {
    if (this.#target.ended !== undefined) return 0;
    try {
      await eventually(() => this.#target.openFiles <= before + 16, {
        timeoutMs: 30_000,
        pollMs: 200,
      });
    } catch {
      // The report shows how many there are.
    }
    return this.#target.openFiles;
  }
}
