import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../lib/errors.ts';

/**
 * The spool folder of one job: all that is needed to know what became of it, readable with cat.
 *
 *     request.json   what to run; the job counts as accepted once this file is there
 *     <k>.start      part k has started: PartStart as JSON
 *     <k>.out        its standard output, byte for byte
 *     <k>.err        its standard error
 *     <k>.end        part k has ended: PartEnd as JSON
 *
 * Each file is written once. The runner writes it before it tells anyone.
 */
export interface SpoolRequest {
  /** The parts of the command line, each run by a `/bin/sh -c` of its own, in order. */
  readonly parts: readonly string[];
  /** Whatever the owner of the job wants back when it finds the folder again. */
  readonly owner: unknown;
  /** Working directory of the parts; default: the runner's. */
  readonly cwd?: string;
  /** Variables set on top of the runner's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface PartStart {
  readonly pid: number;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  /** Start time of the process in clock ticks since boot (proc(5), stat field 22); tells it from a later one of the same pid. */
  readonly ticks?: string;
}

export interface PartEnd {
  /** Milliseconds since 1970, with fractions. */
  readonly endedAt: number;
  /** Exit code, or the negative signal number when a signal ended it; null when it could not be found out. */
  readonly returncode: number | null;
  /** Why it ended, in words, when it was not by itself. */
  readonly cause?: string;
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
}

const REQUEST = 'request.json';

/** Paths of the files of part k. */
export function partFiles(folder: string, part: number) {
  const base = join(folder, String(part));
  return { start: `${base}.start`, end: `${base}.end`, out: `${base}.out`, err: `${base}.err` };
}

/**
 * Makes the spool folder of a new job. When it returns, a crash of this process does not lose the job.
 * @throws the file system's error (ENOSPC, EROFS, …); nothing then counts as accepted
 */
export function createSpool(folder: string, request: SpoolRequest): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `${REQUEST}.new`);
  writeFileSync(draft, JSON.stringify(request));
  renameSync(draft, join(folder, REQUEST));
}

/** The request of a spool folder, or undefined when it was never accepted. */
export function readRequest(folder: string): SpoolRequest | undefined {
  return readJson<SpoolRequest>(join(folder, REQUEST));
}

/** Everything a spool folder says, or undefined when it holds no accepted job. */
export function readSpool(folder: string): SpoolState | undefined {
  const request = readRequest(folder);
  if (request === undefined) return undefined;
  const present = new Set(readdirSync(folder));
  const parts: SpoolPart[] = [];
  for (let k = 0; k < request.parts.length && present.has(`${k}.start`); k += 1) {
    const files = partFiles(folder, k);
    const start = readJson<PartStart>(files.start);
    const end = present.has(`${k}.end`) ? readJson<PartEnd>(files.end) : undefined;
    if (start === undefined) break;
    parts.push(end === undefined ? { start } : { start, end });
  }
  return { request, parts };
}

/** Writes a start or end record: one small write, which a kill of the process cannot cut. */
export function writeRecord(file: string, record: PartStart | PartEnd): void {
  writeFileSync(file, JSON.stringify(record));
}

/** A file cut short by a crash of the machine reads as absent, like a file that was never written. */
function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export interface OutputExcerpt {
  readonly text: string;
  /** Size of the whole output in bytes. */
  readonly bytes: number;
  /** Whether the middle was left out. */
  readonly cut: boolean;
}

/**
 * The output of a part as a record holds it: decoded as UTF-8 (a byte that is none becomes U+FFFD), line
 * ends made `\n` as the original's universal newlines do. Of more than `limitBytes`, head and tail are kept
 * with a line between them that says how much is missing.
 */
export function readOutput(file: string, limitBytes: number): OutputExcerpt {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { text: '', bytes: 0, cut: false };
    throw error;
  }
  try {
    const whole = readUpTo(fd, 0, limitBytes + 1);
    if (whole.length <= limitBytes) {
      return { text: toLines(whole.toString('utf8')), bytes: whole.length, cut: false };
    }
    const bytes = fstatSync(fd).size;
    const half = Math.floor(limitBytes / 2);
    const head = whole.subarray(0, characterStart(whole, half));
    const end = readUpTo(fd, bytes - half, half);
    const tail = end.subarray(characterStart(end, 0, 1));
    const note = `\n[… ${bytes - head.length - tail.length} of ${bytes} bytes left out …]\n`;
    const text = toLines(head.toString('utf8') + note + tail.toString('utf8'));
    return { text, bytes, cut: true };
  } finally {
    closeSync(fd);
  }
}

/** The nearest place where no character of UTF-8 is cut, at or before (step 1: after) this one. */
function characterStart(bytes: Buffer, at: number, step: 1 | -1 = -1): number {
  for (let moved = 0; moved < 4; moved += 1) {
    const place = at + step * moved;
    // 10xxxxxx goes on with a character.
    if (((bytes[place] ?? 0) & 0xc0) !== 0x80) return place;
  }
  return at; // it is no UTF-8
}

function toLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function readUpTo(fd: number, from: number, length: number): Buffer {
  const chunks: Buffer[] = [];
  let at = from;
  let left = length;
  while (left > 0) {
    const chunk = Buffer.allocUnsafe(Math.min(left, 65536));
    const read = readSync(fd, chunk, 0, chunk.length, at);
    if (read === 0) break;
    chunks.push(chunk.subarray(0, read));
    at += read;
    left -= read;
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
