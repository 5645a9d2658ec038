import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { messageOf, systemErrorCode } from '../../errors.ts';
import { replaceFile } from '../../host/atomicFile.ts';
import { requireHeld } from '../../host/heldFolders.ts';
import { LateWriter } from '../../host/lateWriter.ts';
import { PRIVATE } from '../../host/rights.ts';
import type { Logger } from '../../log.ts';
import { jsonOrUndefined } from '../../wire/maybeJson.ts';
import { isJobRoot } from '../jobRoot.ts';
import { IndexLine, type LineParts } from './indexLine.ts';
import type { JobSummary } from './jobSummary.ts';

type Line = JobSummary & { readonly root: string };

/** Takes what is written in the file, line by line: a later one of a job counts. */
export interface LineTaker {
  /** About how many jobs there are. */
  reserve(count: number): void;
  /** A line as pman writes it. */
  putLine(bytes: Buffer, parts: LineParts): void;
  /** Any other one. */
  put(root: string, summary: JobSummary): void;
}

/** How much of the file is read at a time, in bytes. */
const SLICE = 1024 * 1024;
/** A line takes so many bytes at least: root, status and command. */
const SHORT_LINE = 100;
const NEWLINE = 0x0a;

/**
 * Summaries of the jobs that have ended, a line of JSON each, so that a start needs no look into every record. It can
 * be lost: what it does not know is read from the records.
 */
export class IndexFile {
  readonly #file: string;
  readonly #log: Logger;
  readonly #late = new LateWriter((text) => this.#add(text));
  #hasComplained = false;

  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
  }

  /** Reads what was written down; how many lines that are. A file that cannot be read is put out of the way. */
  read(taker: LineTaker): number {
    let fd: number | undefined;
    try {
      // A pipe would be waited for without end.
      if (!statSync(this.#file).isFile()) throw new Error('it is no file');
      fd = openSync(this.#file, 'r');
      return readLines(fd, taker);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return 0;
      const to = `${this.#file}.unreadable-${Date.now()}`;
      this.#log.warn('the index is not readable', { reason: messageOf(error), to });
      renameSync(this.#file, to);
      return 0;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /**
   * Adds the summary of a job that has ended, soon: what it says can be found out again. A disk that refuses it costs the next
   * start some time.
   */
  append(root: string, summary: JobSummary): void {
    this.#late.add(`\n${JSON.stringify({ root, ...summary })}`);
  }

  /** Writes the file anew, without the jobs that are gone, if the disk lets it. */
  rewrite(summaries: Iterable<readonly [string, JobSummary]>): void {
    this.flush();
    const lines = [...summaries].map(([root, summary]) => JSON.stringify({ root, ...summary }));
    try {
      replaceFile(this.#file, lines.join('\n'));
    } catch (error) {
      this.#complain(error);
    }
  }

  #add(text: string): void {
    try {
      requireHeld(this.#file);
      appendFileSync(this.#file, text, { mode: PRIVATE.file });
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#log.warn('the index cannot be written', { reason: messageOf(error) });
  }

  /** Writes now what has been added. */
  flush(): void {
    this.#late.flush();
  }
}

function readLines(fd: number, taker: LineTaker): number {
  const { size } = fstatSync(fd);
  const line = new IndexLine();
  let buffer = Buffer.allocUnsafeSlow(Math.min(size, SLICE) + 1);
  let kept = 0;
  let lines = 0;
  let isFirst = true;
  for (;;) {
    const count = readSync(fd, buffer, kept, buffer.length - kept, null);
    const filled = kept + count;
    if (isFirst) taker.reserve(linesAbout(buffer.subarray(0, filled), size));
    isFirst = false;
    let from = 0;
    for (;;) {
      const at = buffer.indexOf(NEWLINE, from);
      const isWhole = at >= 0 && at < filled;
      if (!isWhole && count > 0) break;
      const to = isWhole ? at : filled;
      if (takeLine(buffer, from, to, line, taker)) lines += 1;
      if (!isWhole) return lines;
      from = to + 1;
    }
    kept = filled - from;
    // A line may be longer than a slice.
    const next = from === 0 ? Buffer.allocUnsafeSlow(2 * buffer.length) : buffer;
    buffer.copy(next, 0, from, filled);
    buffer = next;
  }
}

/** About how many lines a file has, by its beginning: as long as that is, they are of one length. */
function linesAbout(beginning: Buffer, size: number): number {
  const last = beginning.lastIndexOf(NEWLINE);
  if (last < 1) return 1;
  let lines = 1;
  for (let at = beginning.indexOf(NEWLINE); at < last; at = beginning.indexOf(NEWLINE, at + 1)) {
    lines += 1;
  }
  const length = Math.max(SHORT_LINE, last / lines);
  return Math.ceil((size / length) * 1.02);
}

/** Takes a line; false for one that says nothing. */
function takeLine(
  bytes: Buffer,
  from: number,
  to: number,
  line: IndexLine,
  taker: LineTaker,
): boolean {
  if (from === to) return false;
  if (line.read(bytes, from, to)) {
    if (line.status === 'undefined') return false;
    taker.putLine(bytes, line);
    return true;
  }
  const entry = entryOf(bytes.toString('utf8', from, to));
  if (entry === undefined) return false;
  const { root, ...summary } = entry;
  taker.put(root, summary);
  return true;
}

/**
 * What a line says; undefined for one that a crash has cut or garbled, or that an earlier pman has
 * written, which knew less: that job is read from its record.
 */
function entryOf(line: string): Line | undefined {
  const value = jsonOrUndefined(line);
  const isEntry = typeof value === 'object' && value !== null && 'root' in value;
  if (!isEntry || typeof value.root !== 'string' || !isJobRoot(value.root)) return undefined;
  const entry = value as Line;
  return entry.status === 'undefined' || !isOfIndex(value) ? undefined : entry;
}

const TEXTS = ['cmd', 'status', 'state', 'runsOn', 'key', 'digest', 'code', 'cause'] as const;
const NUMBERS = ['bytes', 'exit', 'startUs', 'endUs'] as const;

/** Whether the members of a line are of the kinds that an index has: somebody may have written into the file. */
function isOfIndex(line: Readonly<Record<string, unknown>>): boolean {
  const { cmd, exit, labels, outline } = line;
  const isRight = (name: string, kind: string) =>
    line[name] === undefined || typeof line[name] === kind;
  return (
    cmd !== undefined &&
    TEXTS.every((name) => isRight(name, 'string')) &&
    NUMBERS.every((name) => isRight(name, 'number') || (name === 'exit' && exit === null)) &&
    (labels === undefined || (typeof labels === 'object' && labels !== null)) &&
    (outline === undefined || isPlace(outline))
  );
}

function isPlace(value: unknown): boolean {
  const isNumber = (one: unknown) => Number.isSafeInteger(one) && Number(one) >= 0;
  return Array.isArray(value) && value.length === 2 && value.every(isNumber);
}
