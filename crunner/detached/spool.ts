import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import type { SshConnection } from '../ssh/ssh.ts';
import type { RemoteProcess } from '../ssh/sshRecords.ts';

/**
 * The spool folder of one job: all that is needed to know what became of it, readable with cat.
 *
 *     job.jsonl   a line for what to run, one for each start and each end of a part, and for each order to end it; the
 *                 job counts as accepted once the first line is there
 *     <k>.out     standard output of part k, byte for byte
 *     <k>.err     its standard error
 *     <k>.ssh     of a part that runs over ssh: what its client has written to its stderr, from which <k>.err is made
 *     <k>.log     when they grew, for a part that took longer than a moment (outputLog.ts)
 *
 * The runner writes a line before it tells anyone. One file for all lines: making a file costs a hundred times more than
 * adding to one (docs/decisions/0003).
 */
export interface SpoolRequest {
  /** The parts of the command line, each run by a `/bin/sh -c` of its own, in order. */
  readonly parts: readonly string[];
  /** Whatever the owner of the job wants back when it finds the folder again. */
  readonly owner: unknown;
  readonly limits?: JobLimits;
  /** The host that runs the parts; default: this one. */
  readonly ssh?: SshConnection;
  /** Whether to have the disk confirm each record (fsync). */
  readonly fsync?: boolean;
}

/** What a job is given and what it may take. */
export interface JobLimits {
  /** Working directory of the parts; default: the runner's. */
  readonly cwd?: string;
  /** Variables set on top of the runner's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long the whole job may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** How much address space each process of the job may take, in bytes. */
  readonly memoryBytes?: number;
  /** Added to the scheduling priority (nice(1)). */
  readonly nice?: number;
}

/** What a part has used; members as records show them. */
export interface PartUsage extends ProcessUsage {
  readonly wall_seconds: number;
}

/** What the system tells of an ended process and its children; nothing where it does not. */
export interface ProcessUsage {
  readonly user_seconds?: number;
  readonly system_seconds?: number;
  /** The largest of its processes. */
  readonly peak_memory_bytes?: number;
  /** In place of the former, for a part that stayed below what can be told. */
  readonly peak_memory_below_bytes?: number;
  /** Where the figures but the wall time come from. */
  readonly source?: 'wait4';
}

export interface PartStart {
  readonly pid: number;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  /** Start time of the process in clock ticks since boot (proc(5), stat field 22); tells it from a later one of the same pid. */
  readonly ticks?: string;
  /** What runs on the other host; written down, with the rest again, once it is known. */
  readonly remote?: RemoteProcess;
}

export interface PartEnd {
  /** Milliseconds since 1970, with fractions. */
  readonly endedAt: number;
  /** Exit code, or the negative signal number when a signal ended it; null when it could not be found out. */
  readonly returncode: number | null;
  /** Why it ended, in words, when it was not by itself. */
  readonly cause?: string;
  readonly usage?: PartUsage;
  /** Whether no further part of this job runs. */
  readonly last: boolean;
}

export interface SpoolPart {
  readonly start?: PartStart;
  readonly end?: PartEnd;
}

/** An order to end a job. */
export interface KillRequest {
  readonly signal: NodeJS.Signals;
  /** How long to wait before SIGKILL ends what is left of the process group, in milliseconds. */
  readonly graceMs: number;
  /** Why, in words, for the record: "ended by …". */
  readonly cause: string;
}

export interface SpoolState {
  readonly request: SpoolRequest;
  /** The parts that have at least started, in order. */
  readonly parts: readonly SpoolPart[];
  /** The job is not to run (any more), and why. */
  readonly dropped?: string;
  /** Somebody has asked for its end; the newest order. */
  readonly kill?: KillRequest;
}

const JOURNAL = 'job.jsonl';

/** One line of a job's journal. */
type Line =
  | { readonly request: SpoolRequest }
  | { readonly part: number; readonly start: PartStart }
  | { readonly part: number; readonly end: PartEnd }
  | { readonly dropped: string }
  | { readonly kill: KillRequest };

/** Paths of the output files of part k. */
export function partFiles(folder: string, part: number) {
  const base = join(folder, String(part));
  return { out: `${base}.out`, err: `${base}.err`, ssh: `${base}.ssh` };
}

/**
 * Makes the spool folder of a new job. When it returns, a crash of this process does not lose the job.
 * @throws the file system's error (ENOSPC, EROFS, …); nothing then counts as accepted
 */
export function createSpool(folder: string, request: SpoolRequest): void {
  makeFolder(folder);
  append(folder, { request }, request.fsync === true);
  if (request.fsync) syncPath(dirname(folder));
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    // Somebody has cleared its parents away while the server ran.
    mkdirSync(folder, { recursive: true });
  }
}

/** Writes down that a part has started or ended, or that no more is to run. The folder has to be there. */
export function writeLine(
  folder: string,
  line: Exclude<Line, { readonly request: SpoolRequest }>,
  fsync: boolean,
): void {
  append(folder, line, fsync);
}

/** One write(2) of one line: a kill of the process does not cut it. */
function append(folder: string, line: Line, fsync: boolean): void {
  const fd = openSync(join(folder, JOURNAL), 'a');
  try {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    const written = writeSync(fd, bytes);
    if (written < bytes.length) {
      // A disk that fills up takes a part of it: nothing may come behind half a line.
      ftruncateSync(fd, fstatSync(fd).size - written);
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    }
    if (fsync) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (fsync) syncPath(folder);
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Everything a spool folder says, or undefined when it holds no accepted job; what is no journal holds none. */
export function readSpool(folder: string): SpoolState | undefined {
  let request: SpoolRequest | undefined;
  const parts: SpoolPart[] = [];
  let dropped: string | undefined;
  let kill: KillRequest | undefined;
  for (const line of readJournal(folder)) {
    if ('request' in line) request = line.request;
    else if ('dropped' in line) dropped = line.dropped;
    else if ('kill' in line) kill = line.kill;
    else if (request !== undefined && line.part in request.parts) {
      const { part, ...told } = line;
      parts[part] = { ...parts[part], ...told };
    }
  }
  if (request === undefined) return undefined;
  // Lines may be missing in between.
  const known = Array.from(parts, (part?: SpoolPart) => part ?? {});
  return {
    request,
    parts: known,
    ...(dropped === undefined ? {} : { dropped }),
    ...(kill === undefined ? {} : { kill }),
  };
}

/** The whole lines of a journal; one that a crash of the machine has cut is passed over. */
function* readJournal(folder: string): Generator<Line> {
  const file = join(folder, JOURNAL);
  let text: string;
  try {
    // A folder is no journal, and a pipe would be waited for without end.
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  const lines = text.split('\n');
  lines.pop(); // empty, or cut
  for (const line of lines) {
    const parsed = parseLine(line);
    if (parsed !== undefined) yield parsed;
  }
}

function parseLine(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isLine(value) ? value : undefined;
  } catch (error) {
    if (messageOf(error).includes('JSON')) return undefined;
    throw error;
  }
}

/** Whether JSON is a line of ours, as far as those who read it would fall over another one. */
function isLine(value: unknown): value is Line {
  const line = membersOf(value);
  if (line === undefined) return false;
  if ('request' in line) return Array.isArray(membersOf(line.request)?.parts);
  if (Number.isSafeInteger(line.part)) {
    return membersOf(line.start) !== undefined || membersOf(line.end) !== undefined;
  }
  return typeof line.dropped === 'string' || membersOf(line.kill) !== undefined;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

/** Ends the last line of a journal that a crash of the machine has cut, so that nothing is added to it. */
export function mendSpool(folder: string): void {
  const file = join(folder, JOURNAL);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  const bytes = readFileSync(file);
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a) appendFileSync(file, '\n');
}

/** Takes away a journal that says nothing: what else the folder holds stays. */
export function discardJournal(folder: string): void {
  rmSync(join(folder, JOURNAL), { recursive: true, force: true });
}

/**
 * The record of the job is complete elsewhere: nothing but its outputs is needed any more. A folder without a journal
 * belongs to a job that has ended.
 */
export function closeSpool(folder: string): void {
  rmSync(join(folder, JOURNAL), { force: true });
}

/** Whether a spool folder belongs to a job whose record may not be complete. */
export function isOpenSpool(folder: string): boolean {
  return existsSync(join(folder, JOURNAL));
}

/** What the outputs of a job take, in bytes. */
export function outputBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const name of readdirSync(folder)) {
    if (name === JOURNAL) continue;
    bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
