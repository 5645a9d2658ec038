import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRequest, type SpoolRequest } from '../../../crunner/detached/journal.ts';
import { messageOf } from '../../errors.ts';
import { isFolder } from '../../host/folders.ts';
import { LineFile } from '../../host/lineFile.ts';
import type { Logger } from '../../log.ts';
import { isJobRoot } from '../../records/jobRoot.ts';

export interface AcceptedJobsOptions {
  readonly folder: string;
  /** Whether to have the disk confirm what is acknowledged. */
  readonly fsync: boolean;
  readonly log: Logger;
  /** The size from which on a new file is begun, in bytes. */
  readonly fileBytes?: number;
}

/** A job that an earlier server has accepted, and of which this is all there is. */
export interface AcceptedJob {
  readonly request: SpoolRequest;
  /** The job is not to run, and why. */
  readonly dropped?: string;
}

type AcceptedLine =
  | { readonly job: string; readonly request: SpoolRequest }
  | { readonly job: string; readonly dropped: string }
  /** What is to be known about the job is elsewhere: in its own journal, or in its record, or nowhere, for it is gone. */
  | { readonly job: string; readonly left: true };

/** One of the files, and the jobs that are in it and have not left it. */
interface Segment {
  readonly file: LineFile;
  readonly jobs: Set<string>;
}

const NAME = /^\d{8}\.jsonl$/;
const FILE_BYTES = 1024 * 1024;
/** A file that no job is left in is emptied when it has this size: making another one costs more. */
const EMPTIED_BYTES = 64 * 1024;

/**
 * The jobs that have been accepted and have no journal of their own yet, in files that they share: lines of JSON. A job is a
 * line here until it starts, which is a hundred times cheaper than a folder and a file (docs/decisions/0037). A file goes
 * when all its jobs have left it.
 */
export class AcceptedJobs {
  readonly #options: Required<AcceptedJobsOptions>;
  readonly #segments = new Set<Segment>();
  readonly #segmentOf = new Map<string, Segment>();
  /** The one that jobs are added to. */
  #newest: Segment | undefined;
  /** Another one that is open: jobs leave in about the order in which they came. */
  #oldest: Segment | undefined;
  #lastNumber = 0;

  constructor(options: AcceptedJobsOptions) {
    this.#options = { fileBytes: FILE_BYTES, ...options };
  }

  /**
   * The jobs that earlier servers have left here. Lines that are none, and files that cannot be read, are left out and
   * reported.
   */
  find(): ReadonlyMap<string, AcceptedJob> {
    const { folder, fsync } = this.#options;
    const found = new Map<string, AcceptedJob>();
    const names = isFolder(folder) ? readdirSync(folder).filter((name) => NAME.test(name)) : [];
    for (const name of names.sort()) {
      this.#lastNumber = Number.parseInt(name, 10);
      const jobs = this.#read(join(folder, name));
      if (jobs === undefined) continue;
      const file = new LineFile(join(folder, name), fsync);
      const segment: Segment = { file, jobs: new Set(jobs.keys()) };
      this.#segments.add(segment);
      for (const [root, job] of jobs) {
        found.set(root, job);
        this.#segmentOf.set(root, segment);
      }
      this.#tidy(segment);
    }
    return found;
  }

  /** Whether a job is here and has not left. */
  has(root: string): boolean {
    return this.#segmentOf.has(root);
  }

  /**
   * Writes a job down. Where the disk has to confirm that, many share one flush.
   * @returns what resolves once the disk has it; undefined when nobody has to wait
   * @throws the file system's error; the job is not here then
   */
  add(root: string, request: SpoolRequest): Promise<void> | undefined {
    const segment = this.#forNew();
    write(segment, { job: root, request });
    segment.jobs.add(root);
    this.#segmentOf.set(root, segment);
    if (!this.#options.fsync) return undefined;
    return segment.file.flushed().catch((error: unknown) => {
      this.leaveQuietly(root);
      throw error;
    });
  }

  /**
   * Writes down that a job is not to run: a later server keeps to that.
   * @throws the file system's error
   */
  drop(root: string, reason: string): void {
    const segment = this.#segmentOf.get(root);
    if (segment === undefined) return;
    this.#hold(segment);
    write(segment, { job: root, dropped: reason });
    if (this.#options.fsync) segment.file.flushNow();
  }

  /**
   * What is known of a job is elsewhere from now on, for later servers too.
   * @throws the file system's error; the job is still here then
   */
  leave(root: string): void {
    const segment = this.#segmentOf.get(root);
    if (segment === undefined) return;
    this.#hold(segment);
    write(segment, { job: root, left: true });
    if (this.#options.fsync) segment.file.flushed().catch(() => undefined);
    this.#segmentOf.delete(root);
    segment.jobs.delete(root);
    this.#tidy(segment);
  }

  /** As `leave`. What the disk refuses is in the log: the next server then finds a job that it knows otherwise, or is gone. */
  leaveQuietly(root: string): void {
    try {
      this.leave(root);
    } catch (error) {
      this.#warn('an accepted job cannot be crossed out', { root, error: messageOf(error) });
    }
  }

  /** Lets go of the files. Those that no job is left in are removed. */
  close(): void {
    for (const segment of this.#segments) {
      segment.file.close();
      if (segment.jobs.size === 0) this.#remove(segment);
    }
    this.#newest = undefined;
  }

  /** Keeps few files open, however many there are. */
  #hold(segment: Segment): void {
    if (segment === this.#newest || segment === this.#oldest) return;
    this.#oldest?.file.close();
    this.#oldest = segment;
  }

  #forNew(): Segment {
    const { folder, fsync, fileBytes } = this.#options;
    if (this.#newest !== undefined && this.#newest.file.bytes < fileBytes) return this.#newest;
    this.#newest?.file.close();
    this.#lastNumber += 1;
    const name = `${String(this.#lastNumber).padStart(8, '0')}.jsonl`;
    this.#newest = { file: new LineFile(join(folder, name), fsync), jobs: new Set() };
    this.#segments.add(this.#newest);
    return this.#newest;
  }

  /** Takes away what nobody needs any more. */
  #tidy(segment: Segment): void {
    if (segment.jobs.size > 0) return;
    if (segment !== this.#newest) {
      this.#remove(segment);
      return;
    }
    try {
      if (segment.file.bytes > EMPTIED_BYTES) segment.file.clear();
    } catch (error) {
      this.#warn('a file of accepted jobs cannot be emptied', { error: messageOf(error) });
    }
  }

  #remove(segment: Segment): void {
    try {
      segment.file.remove();
      this.#segments.delete(segment);
    } catch (error) {
      // Nothing in it counts: the next start removes it.
      this.#warn('a file of accepted jobs cannot be removed', { error: messageOf(error) });
    }
  }

  /** The jobs that have not left a file; undefined when it cannot be read. */
  #read(path: string): ReadonlyMap<string, AcceptedJob> | undefined {
    try {
      // A pipe would be waited for without end.
      if (!statSync(path).isFile()) throw new Error('it is no file');
      const { jobs, badLines } = readAccepted(readFileSync(path, 'utf8'));
      if (badLines > 0) this.#warn('lines of accepted jobs are damaged', { path, lines: badLines });
      return jobs;
    } catch (error) {
      this.#warn('accepted jobs cannot be read', { path, error: messageOf(error) });
      return undefined;
    }
  }

  #warn(message: string, fields: Readonly<Record<string, string | number>>): void {
    this.#options.log.warn(message, fields);
  }
}

function write({ file }: Segment, line: AcceptedLine): void {
  file.add(JSON.stringify(line));
}

/** The jobs that lines tell of and that have not left, and how many lines are none. One without an end was not acknowledged. */
export function readAccepted(text: string): {
  readonly jobs: ReadonlyMap<string, AcceptedJob>;
  readonly badLines: number;
} {
  const jobs = new Map<string, AcceptedJob>();
  let badLines = 0;
  const lines = text.split('\n');
  lines.pop(); // empty, or cut
  for (const one of lines) {
    const line = parseLine(one);
    if (line === undefined) badLines += 1;
    else if ('request' in line) jobs.set(line.job, { request: line.request });
    else if ('left' in line) jobs.delete(line.job);
    else {
      const job = jobs.get(line.job);
      if (job !== undefined) jobs.set(line.job, { ...job, dropped: line.dropped });
    }
  }
  return { jobs, badLines };
}

function parseLine(text: string): AcceptedLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { job, request, dropped, left } = value as Readonly<Record<string, unknown>>;
  if (typeof job !== 'string' || !isJobRoot(job)) return undefined;
  if (isRequest(request)) return { job, request };
  if (typeof dropped === 'string') return { job, dropped };
  return left === true ? { job, left } : undefined;
}
