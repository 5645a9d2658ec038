import { dirname } from 'node:path';
import type { OnFull, OutputKeeper } from './outputKeeper.ts';
import { thisSystem } from './system.ts';

/** Opens the keeper of a folder of spool folders. */
export type OpenKeeper = (spool: string, onFull: OnFull) => OutputKeeper | Promise<OutputKeeper>;

/** The best way that this system has. */
export async function keeperOfThisSystem(spool: string, onFull: OnFull): Promise<OutputKeeper> {
  return (await thisSystem()).keeper(spool, onFull);
}

/** Who writes what parts say: one keeper for all jobs of a server, opened when it is first asked for. */
export class OutputKeepers {
  readonly #open: OpenKeeper;
  readonly #onFull: OnFull;
  /** By folder of spool folders. */
  readonly #keepers = new Map<string, Promise<OutputKeeper>>();

  constructor(open: OpenKeeper, onFull: OnFull) {
    this.#open = open;
    this.#onFull = onFull;
  }

  /** That of a job, by its spool folder. */
  of(folder: string): Promise<OutputKeeper> {
    const spool = dirname(folder);
    const known = this.#keepers.get(spool);
    if (known !== undefined) return known;
    const keeper = Promise.resolve(this.#open(spool, this.#onFull));
    this.#keepers.set(spool, keeper);
    return keeper;
  }
}
