import { join } from 'node:path';
import {
  type PartEnd,
  type PartStart,
  partFiles,
  readOutput,
  type SpoolRequest,
  type SpoolState,
} from '../../crunner/spool.ts';
import type { JsonObject } from '../wire/json.ts';
import type { JobDatabase } from './database.ts';
import { progressOf } from './progress.ts';
import { type NewJob, recordDone, recordEnd, recordLost, recordStart } from './record.ts';

/** What the spool folder of a host job says about its owner. */
export interface SpoolOwner {
  readonly job: NewJob;
  /** The members of each entry that tell about the machine. */
  readonly host: JsonObject;
}

export interface PollerOptions {
  readonly database: JobDatabase;
  /** The folder of the spool folders. */
  readonly spool: string;
  /** How much of each output a record holds, in bytes. */
  readonly outputLimitBytes: number;
}

/** Turns what the runner tells, or a spool folder says, into changes of job records. */
export class Poller {
  readonly #options: PollerOptions;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  partStarted(root: string, request: SpoolRequest, part: number, start: PartStart): void {
    const record = this.#options.database.edit(root);
    if (record === undefined) return;
    const { host } = request.owner as SpoolOwner;
    recordStart(record, part, { cmd: request.parts[part] ?? '', host, ...start });
  }

  partEnded(root: string, part: number, end: PartEnd): void {
    const { database, spool, outputLimitBytes } = this.#options;
    const record = database.edit(root);
    if (record === undefined) return;
    const files = partFiles(join(spool, root), part);
    recordEnd(record, part, {
      endedAt: end.endedAt,
      returncode: end.returncode,
      stdout: readOutput(files.out, outputLimitBytes).text,
      stderr: readOutput(files.err, outputLimitBytes).text,
      ...(end.cause === undefined ? {} : { cause: end.cause }),
      ...(end.usage === undefined ? {} : { usage: { ...end.usage } }),
    });
    if (!end.last) return;
    if (end.returncode === null)
      recordLost(record, part + 1, end.cause ?? 'how it ended is not known');
    else recordDone(record, part + 1);
  }

  /** No more of the job is going to run. */
  dropped(root: string, reason: string): void {
    const record = this.#options.database.edit(root);
    const tree = this.#options.database.tree(root);
    if (record && tree) recordLost(record, progressOf(tree).started.length, reason);
  }

  /** Writes into the record what the spool knows and the record does not. */
  catchUp(root: string, { request, parts, dropped }: SpoolState): void {
    const tree = this.#options.database.tree(root);
    if (tree === undefined) return;
    for (const [part, { start, end }] of parts.entries()) {
      const known = progressOf(tree);
      if (start && known.started.length <= part) this.partStarted(root, request, part, start);
      if (end && (end.last || known.returncodes.length <= part)) this.partEnded(root, part, end);
    }
    if (dropped !== undefined) this.dropped(root, dropped);
  }
}
