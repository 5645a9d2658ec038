import { join } from 'node:path';
import type {
  PartEnd,
  PartStart,
  SpoolRequest,
  SpoolState,
} from '../../../crunner/detached/journal.ts';
import { readOutput } from '../../../crunner/detached/outputExcerpt.ts';
import { partFiles, placeNow } from '../../../crunner/detached/spool.ts';
import { preciseNow } from '../../host/clock.ts';
import type { JobDatabase } from '../../records/database.ts';
import {
  type NewJob,
  recordDone,
  recordDropped,
  recordEnd,
  recordLost,
  recordStart,
} from '../../records/record.ts';
import type { JsonObject } from '../../wire/json.ts';
import { type JobProgress, progressOf } from '../progress.ts';

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

/** What every sub-job's output may take at least, in bytes. */
const MIN_SHARE_BYTES = 16 * 1024;

/**
 * How much of each output the record of a job of so many sub-jobs holds, in bytes. Each epoch repeats the entries of
 * all earlier ones, so that the whole grows with the square of their number: 40 outputs of 1 MB made a record of
 * 1.6 GB, and stopped the server for 20 seconds.
 */
export function outputShare(limitBytes: number, parts: number): number {
  const share = Math.floor((4 * limitBytes) / (parts * (parts + 1)));
  return Math.min(limitBytes, Math.max(MIN_SHARE_BYTES, share));
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
    const { pid, startedAt, limits } = start;
    const cmd = request.parts[part] ?? '';
    recordStart(record, part, {
      ...{ cmd, host, pid, startedAt, ...remoteFacts(request, start) },
      ...(limits === undefined ? {} : { limits: { ...limits } as JsonObject }),
    });
  }

  partEnded(root: string, { parts }: SpoolRequest, part: number, end: PartEnd): void {
    const { database, spool, outputLimitBytes } = this.#options;
    const limitBytes = outputShare(outputLimitBytes, parts.length);
    const record = database.edit(root);
    if (record === undefined) return;
    const files = partFiles(placeNow(join(spool, root)), part);
    const textOf = (file: string) => (end.silent ? '' : readOutput(file, limitBytes).text);
    recordEnd(record, part, {
      endedAt: end.endedAt,
      returncode: end.returncode,
      stdout: textOf(files.out),
      stderr: textOf(files.err),
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
    if (record === undefined || tree === undefined) return;
    const end = { cause: reason, endedAt: preciseNow() };
    recordDropped(record, progressOf(tree).started.length, end);
  }

  /** Writes into the record what the spool knows and the record does not. */
  catchUp(root: string, { request, parts, dropped }: SpoolState): void {
    const tree = this.#options.database.tree(root);
    if (tree === undefined) return;
    for (const [part, { start, end }] of parts.entries()) {
      const known = progressOf(tree);
      const isNew = known.started.length <= part || isNewRemote(known, part, start);
      if (start && isNew) this.partStarted(root, request, part, start);
      if (end && (end.last || known.returncodes.length <= part))
        this.partEnded(root, request, part, end);
    }
    if (dropped !== undefined) this.dropped(root, dropped);
  }
}

/** Where a part runs that runs over ssh, by the names of the original's crunner. */
function remoteFacts(
  { ssh }: SpoolRequest,
  { remote }: PartStart,
): { readonly remote?: JsonObject } {
  if (ssh === undefined) return {};
  const { user, host, port } = ssh.target;
  const pid = remote === undefined ? {} : { pid_remote: remote.pid };
  const named = port === undefined ? {} : { remotePort: port };
  return { remote: { ...pid, remoteHost: host, remoteUser: user, ...named } };
}

/** Whether it has become known what runs on the other host, and the record does not say so yet. */
function isNewRemote(
  { entries, returncodes }: JobProgress,
  part: number,
  start?: PartStart,
): boolean {
  if (start?.remote === undefined || returncodes.length > part) return false;
  return entries[part]?.pid_remote === undefined;
}
