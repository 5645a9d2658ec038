import { basename } from 'node:path';
import type { PartEnd } from '../../crunner/detached/journal.ts';
import type { RunnerClientOptions, RunnerLink } from '../../crunner/detached/runnerClient.ts';
import { writeLine } from '../../crunner/detached/spool.ts';
import type { KillRequest } from '../../crunner/job/killRequest.ts';

/** Stands for the runner: writes down what a test says of a job and tells the server, without any process. */
export class FakeRunner implements RunnerLink {
  /** What it was asked for, in order: a word and the job root. */
  readonly orders: string[] = [];
  /** What the next orders are answered with; default: they are taken. */
  refusal: Error | undefined;
  isClosed = false;
  readonly #options: RunnerClientOptions;

  constructor(options: RunnerClientOptions) {
    this.#options = options;
  }

  async find(): Promise<void> {
    this.orders.push('find');
  }

  async reach(): Promise<void> {
    this.orders.push('reach');
    if (this.refusal !== undefined) throw this.refusal;
  }

  async run(folder: string): Promise<void> {
    this.orders.push(`run ${basename(folder)}`);
    if (this.refusal !== undefined) throw this.refusal;
  }

  async kill(folder: string, request: KillRequest): Promise<void> {
    this.orders.push(`kill ${basename(folder)} ${request.signal}`);
  }

  async pass(folder: string, signal: NodeJS.Signals): Promise<void> {
    this.orders.push(`pass ${basename(folder)} ${signal}`);
  }

  close(): void {
    this.isClosed = true;
  }

  /** A part of a job has started. */
  starts(root: string, part = 0): void {
    const folder = this.#folder(root);
    const start = { pid: 1000 + part, startedAt: 1_700_000_000_000 + part };
    writeLine(folder, { part, start }, false);
    this.#options.onEvent({ kind: 'start', folder, part, start });
  }

  /** A part of a job has ended; unless told otherwise it was the last one, and went well. */
  ends(root: string, told: Partial<PartEnd> = {}, part = 0): void {
    this.#tellEnd(root, part, this.endsUntold(root, told, part));
  }

  /** The same of a job whose folder somebody has removed. */
  endsUnwritten(root: string): void {
    const end = { endedAt: 1_700_000_001_000, returncode: 0, silent: true, last: true } as const;
    this.#tellEnd(root, 0, end);
  }

  /** A part of a job has ended, and the server does not get to know. */
  endsUntold(root: string, told: Partial<PartEnd> = {}, part = 0): PartEnd {
    const end = { endedAt: 1_700_000_001_000, returncode: 0, last: true, ...told };
    writeLine(this.#folder(root), { part, end }, false);
    return end;
  }

  /** The runner has gone. */
  goes(): void {
    this.#options.onLost();
  }

  #tellEnd(root: string, part: number, end: PartEnd): void {
    this.#options.onEvent({ kind: 'end', folder: this.#folder(root), part, end });
  }

  #folder(root: string): string {
    return `${this.#options.spool}/${root}`;
  }
}
