import { messageOf } from '../../lib/errors.ts';
import type { EnforcedLimits } from '../job/enforced.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import type { KillRequest } from '../job/killRequest.ts';
import type { SshConnection } from '../ssh/ssh.ts';
import type { RemoteProcess } from '../ssh/sshRecords.ts';

/** What is to be run: the first line of a job's journal. */
export interface SpoolRequest {
  /** The parts of the command line, each run by a `/bin/sh -c` of its own, in order. */
  readonly parts: readonly string[];
  /** Whatever the owner of the job wants back when it finds the folder again. */
  readonly owner: unknown;
  readonly limits?: JobLimits;
  /** Whether the spool folder holds an input: each part reads it from its beginning. */
  readonly hasStdin?: boolean;
  /** The host that runs the parts; default: this one. */
  readonly ssh?: SshConnection;
  /** Whether to have the disk confirm each record (fsync). */
  readonly fsync?: boolean;
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
  /** The folder of its control group. */
  readonly group?: string;
  /** The limits that it was started with. */
  readonly limits?: EnforcedLimits;
}

export interface PartEnd {
  /** Milliseconds since 1970, with fractions. */
  readonly endedAt: number;
  /** Exit code, or the negative signal number when a signal ended it; null when it could not be found out. */
  readonly returncode: number | null;
  /** Why it ended, in words, when it was not by itself. */
  readonly cause?: string;
  readonly usage?: PartUsage;
  /** It had written nothing by then; absent where it has, or where nobody knows. */
  readonly silent?: true;
  /** Whether no further part of this job runs. */
  readonly last: boolean;
}

export interface SpoolPart {
  readonly start?: PartStart;
  readonly end?: PartEnd;
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

/** Whether nothing of the job runs any more, or is going to. */
export function isOver({ dropped, parts }: SpoolState): boolean {
  return dropped !== undefined || parts.at(-1)?.end?.last === true;
}

/** One line of a job's journal. */
export type JournalLine =
  | { readonly request: SpoolRequest }
  | { readonly part: number; readonly start: PartStart }
  | { readonly part: number; readonly end: PartEnd }
  | { readonly dropped: string }
  | { readonly kill: KillRequest };

/**
 * Everything that a journal says, or undefined when it holds no request. Left out are its last line as long as that has no
 * end (a crash of the machine has cut it), and lines that are none of ours.
 */
export function readJournal(text: string): SpoolState | undefined {
  let request: SpoolRequest | undefined;
  const parts: SpoolPart[] = [];
  let dropped: string | undefined;
  let kill: KillRequest | undefined;
  for (const line of wholeLines(text)) {
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

function wholeLines(text: string): readonly JournalLine[] {
  const lines = text.split('\n');
  lines.pop(); // empty, or cut
  return lines.map(parseLine).filter((line) => line !== undefined);
}

function parseLine(line: string): JournalLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isLine(value) ? value : undefined;
  } catch (error) {
    if (messageOf(error).includes('JSON')) return undefined;
    throw error;
  }
}

/** Whether JSON is a line of ours, as far as those who read it would fall over another one. */
function isLine(value: unknown): value is JournalLine {
  const line = membersOf(value);
  if (line === undefined) return false;
  if ('request' in line) return isRequest(line.request);
  if (Number.isSafeInteger(line.part)) {
    return membersOf(line.start) !== undefined || membersOf(line.end) !== undefined;
  }
  return typeof line.dropped === 'string' || membersOf(line.kill) !== undefined;
}

/** Whether JSON is what is to be run, as far as those who read it would fall over another one. */
export function isRequest(value: unknown): value is SpoolRequest {
  return Array.isArray(membersOf(value)?.parts);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return value as Readonly<Record<string, unknown>>;
}
