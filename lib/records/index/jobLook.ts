import type { JobSummary } from './jobSummary.ts';
import type { JobTable } from './jobTable.ts';
import type { SoughtText } from './soughtText.ts';

/** A summary of which every member can be asked for. */
export type KnownOfJob = {
  readonly [Name in keyof JobSummary]-?: JobSummary[Name] | undefined;
};

/**
 * What is known of a job, looked up as it is asked for. Only good until others get their turn: then the job may be gone, and
 * another one in its row.
 */
export class JobLook implements KnownOfJob {
  readonly #table: JobTable;
  readonly #row: number;

  constructor(table: JobTable, row: number) {
    this.#table = table;
    this.#row = row;
  }

  get root(): string {
    return this.#table.roots.rootAt(this.#row);
  }

  /** Its place among all jobs: see `orderOf`. */
  get order(): number {
    return this.#table.roots.orderAt(this.#row);
  }

  get jid(): KnownOfJob['jid'] {
    return this.#table.jidAt(this.#row);
  }

  get auid(): KnownOfJob['auid'] {
    return this.#table.auidAt(this.#row);
  }

  get status(): KnownOfJob['status'] {
    return this.#table.statusAt(this.#row);
  }

  get state(): KnownOfJob['state'] {
    return this.#table.stateAt(this.#row);
  }

  get bytes(): KnownOfJob['bytes'] {
    return this.#table.bytesAt(this.#row);
  }

  get cmd(): KnownOfJob['cmd'] {
    return this.#table.cmdAt(this.#row);
  }

  /** Whether the command, as far as it is known without the record, has a text in it. */
  hasInCmd(sought: SoughtText): boolean {
    return this.#table.hasInCmd(this.#row, sought);
  }

  /** The same of its `jid`. */
  hasInJid(sought: SoughtText): boolean {
    return this.#table.hasInJid(this.#row, sought);
  }

  /** Whether its uuid begins with a text. */
  hasUuid(sought: SoughtText): boolean {
    return this.#table.hasUuid(this.#row, sought);
  }

  get isLong(): KnownOfJob['isLong'] {
    return this.#table.isLongAt(this.#row);
  }

  get runsOn(): KnownOfJob['runsOn'] {
    return this.#table.runsOnAt(this.#row);
  }

  get labels(): KnownOfJob['labels'] {
    return this.#table.labelsAt(this.#row);
  }

  get exit(): KnownOfJob['exit'] {
    return this.#table.ends.exitAt(this.#row);
  }

  get startUs(): KnownOfJob['startUs'] {
    return this.#table.ends.startUsAt(this.#row);
  }

  get endUs(): KnownOfJob['endUs'] {
    return this.#table.ends.endUsAt(this.#row);
  }

  get code(): KnownOfJob['code'] {
    return this.#table.ends.codeAt(this.#row);
  }

  get cause(): KnownOfJob['cause'] {
    return this.#table.ends.causeAt(this.#row);
  }

  get outline(): KnownOfJob['outline'] {
    return this.#table.outlines.at(this.#row);
  }

  get key(): KnownOfJob['key'] {
    return this.#table.key.get(this.#row);
  }

  get digest(): KnownOfJob['digest'] {
    return this.#table.digestAt(this.#row);
  }
}
