import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { messageOf, systemErrorCode } from '../../errors.ts';
import { replaceFile } from '../../host/atomicFile.ts';
import type { Logger } from '../../log.ts';
import { jsonOrUndefined } from '../../wire/maybeJson.ts';
import type { JobSummary } from './jobIndex.ts';

type Line = JobSummary & { readonly root: string };

/**
 * Summaries of the jobs that have ended, a line of JSON each, so that a start needs no look into every record. It can
 * be lost: what it does not know is read from the records.
 */
export class IndexFile {
  readonly #file: string;
  readonly #log: Logger;
  #fd: number | undefined;
  #hasComplained = false;

  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
  }

  /** What was written down, by job root. A file that cannot be read is put out of the way. */
  read(): ReadonlyMap<string, JobSummary> {
    let text: string;
    try {
      // A pipe would be waited for without end.
      if (!statSync(this.#file).isFile()) throw new Error('it is no file');
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return new Map();
      const to = `${this.#file}.unreadable-${Date.now()}`;
      this.#log.warn('the index is not readable', { reason: messageOf(error), to });
      renameSync(this.#file, to);
      return new Map();
    }
    const summaries = new Map<string, JobSummary>();
    for (const line of text.split('\n')) {
      const entry = entryOf(line);
      if (entry === undefined) continue;
      const { root, ...summary } = entry;
      summaries.set(root, summary);
    }
    return summaries;
  }

  /** Adds the summary of a job that has ended. */
  append(root: string, summary: JobSummary): void {
    this.#fd ??= openSync(this.#file, 'a', 0o600);
    writeSync(this.#fd, `\n${JSON.stringify({ root, ...summary })}`);
  }

  /** As `append`, for what can be found out again: a disk that refuses it costs the next start some time. */
  tryToAppend(root: string, summary: JobSummary): void {
    try {
      this.append(root, summary);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Writes the file anew, without the jobs that are gone, if the disk lets it. */
  rewrite(summaries: Iterable<readonly [string, JobSummary]>): void {
    this.close();
    const lines = [...summaries].map(([root, summary]) => JSON.stringify({ root, ...summary }));
    try {
      replaceFile(this.#file, lines.join('\n'));
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#log.warn('the index cannot be written', { reason: messageOf(error) });
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/**
 * What a line says; undefined for one that a crash has cut or garbled, or that an earlier pman has
 * written, which knew less: that job is read from its record.
 */
function entryOf(line: string): Line | undefined {
  const value = jsonOrUndefined(line);
  const isEntry = typeof value === 'object' && value !== null && 'root' in value;
  if (!isEntry || typeof value.root !== 'string') return undefined;
  const entry = value as Line;
  return entry.status === 'undefined' || typeof entry.cmd !== 'string' ? undefined : entry;
}
