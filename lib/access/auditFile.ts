import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { messageOf, systemErrorCode, UsageError } from '../errors.ts';

/** Files of the full size are put aside, so many of them are kept, beside the one that is written. */
const KEPT_FILES = 9;

export interface AuditFileOptions {
  readonly file: string;
  /** A file that has become as large is put aside. Bytes. */
  readonly maxBytes: number;
  /** The disk does not take any more: said once, until it has taken something again. */
  readonly onFailing: (reason: string) => void;
}

/** Entries that the disk did not take. */
export interface MissingEntries {
  readonly count: number;
  /** The time of the first of them, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/**
 * A file of entries, a line each, for this user alone. It holds whole lines only: of one that the disk took a part of, that is
 * taken back. Before the next one that it takes stands a line that says what is missing.
 */
export class AuditFile {
  readonly #options: AuditFileOptions;
  #opened: OpenedFile | undefined;
  #missing: MissingEntries | undefined;

  /** @throws UsageError when it is none of this user's files, or cannot be written */
  constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#opened = openOwnFile(options.file);
  }

  /**
   * @param noteOf the line that says what is missing before this one
   * @returns whether the disk has taken it
   */
  append(line: string, noteOf: (missing: MissingEntries) => string): boolean {
    const lines = this.#missing === undefined ? [line] : [noteOf(this.#missing), line];
    const reason = this.#failing(Buffer.from(lines.map((each) => `${each}\n`).join('')));
    if (reason === undefined) {
      this.#missing = undefined;
      return true;
    }
    const { count, sinceMs } = this.#missing ?? { count: 0, sinceMs: Date.now() };
    this.#missing = { count: count + 1, sinceMs };
    if (count === 0) this.#options.onFailing(reason);
    return false;
  }

  /** What is missing at the end is said if there is room for that by now. */
  close(noteOf: (missing: MissingEntries) => string): void {
    if (this.#missing !== undefined) this.#failing(Buffer.from(`${noteOf(this.#missing)}\n`));
    this.#missing = undefined;
    if (this.#opened !== undefined) closeSync(this.#opened.fd);
    this.#opened = undefined;
  }

  /** Writes all of the bytes, or none of them: then it returns the reason. */
  #failing(bytes: Buffer): string | undefined {
    const { file, maxBytes } = this.#options;
    try {
      if (this.#opened !== undefined && this.#opened.bytes > 0) {
        if (this.#opened.bytes + bytes.length > maxBytes) {
          closeSync(this.#opened.fd);
          this.#opened = undefined;
          putAside(file);
        }
      }
      this.#opened ??= openOwnFile(file);
      writeWhole(this.#opened, bytes);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

interface OpenedFile {
  readonly fd: number;
  bytes: number;
  /** It ends with a part of a line that could not be taken back. */
  isTorn: boolean;
}

/** @throws the system's error; then nothing of it is in the file */
function writeWhole(opened: OpenedFile, bytes: Buffer): void {
  const whole = opened.isTorn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
  let written = 0;
  try {
    // A disk that gets full takes a part first, and refuses the rest.
    while (written < whole.length) written += writeSync(opened.fd, whole, written);
    opened.bytes += written;
    opened.isTorn = false;
  } catch (error) {
    if (written > 0) takeBack(opened, written);
    throw error;
  }
}

function takeBack(opened: OpenedFile, written: number): void {
  try {
    ftruncateSync(opened.fd, fstatSync(opened.fd).size - written);
  } catch {
    // Whatever keeps the disk from it: the next line begins on a line of its own.
    opened.bytes += written;
    opened.isTorn = true;
  }
}

/** `audit.log` becomes `audit.log.1`, that becomes `audit.log.2`, and the last one is gone. */
function putAside(file: string): void {
  for (let i = KEPT_FILES; i > 0; i -= 1) {
    const from = i === 1 ? file : `${file}.${i - 1}`;
    if (existsSync(from)) renameSync(from, `${file}.${i}`);
  }
}

/** @throws UsageError when it is none of this user's files, or cannot be written */
function openOwnFile(file: string): OpenedFile {
  try {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
    const fd = openSync(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_WRONLY, 0o600);
    const stat = fstatSync(fd);
    if (stat.isFile() && (process.geteuid === undefined || stat.uid === process.geteuid())) {
      if ((stat.mode & 0o077) !== 0) fchmodSync(fd, 0o600);
      return { fd, bytes: stat.size, isTorn: false };
    }
    closeSync(fd);
  } catch (error) {
    if (systemErrorCode(error) !== 'ELOOP') {
      const message = `cannot write --auditLog ${file}: ${messageOf(error)}`;
      throw new UsageError(message, { cause: error });
    }
  }
  throw new UsageError(`--auditLog ${file} is no file of this user`, {
    hint: 'name a file of its own, in a folder that only this user can write; it is made',
  });
}
