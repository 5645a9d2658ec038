import type { JobNames } from './jobChanges.ts';

/** How much a job has written so far. It is told and not kept: who has missed it learns more from the next one. */
export interface Growth extends JobNames {
  readonly time: string;
  readonly type: 'output';
  readonly id: string;
  readonly data: { readonly stdout: number; readonly stderr: number };
}

export interface OutputGrowthOptions {
  /** The jobs that run, with what they have written, in bytes. */
  readonly look: () => Iterable<{
    readonly root: string;
    readonly names: JobNames;
    readonly sizes: { readonly stdout: number; readonly stderr: number };
  }>;
  /** How often it is looked, in milliseconds; default: a second. */
  readonly everyMs?: number;
}

const EVERY_MS = 1000;

/** Tells how outputs grow: of each job at most once a second, and only while somebody listens. */
export class OutputGrowth {
  readonly #options: OutputGrowthOptions;
  readonly #listeners = new Set<(growth: readonly Growth[]) => void>();
  #sizes = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutputGrowthOptions) {
    this.#options = options;
  }

  /**
   * Calls back with what has grown since the last look, one for each job.
   * @returns what ends it
   */
  listen(told: (growth: readonly Growth[]) => void): () => void {
    this.#listeners.add(told);
    if (this.#timer === undefined) {
      // What was written before anybody listened is no news.
      this.#grown();
      this.#timer = setInterval(() => this.#tell(), this.#options.everyMs ?? EVERY_MS).unref();
    }
    return () => {
      this.#listeners.delete(told);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    const growth = this.#grown();
    if (growth.length > 0) for (const told of this.#listeners) told(growth);
  }

  #grown(): readonly Growth[] {
    const sizes = new Map<string, number>();
    const time = new Date().toISOString();
    const grown: Growth[] = [];
    for (const { root, names, sizes: data } of this.#options.look()) {
      const size = data.stdout + data.stderr;
      sizes.set(root, size);
      if (size > (this.#sizes.get(root) ?? 0)) {
        grown.push({ time, type: 'output', id: root, ...names, data });
      }
    }
    this.#sizes = sizes;
    return grown;
  }
}
