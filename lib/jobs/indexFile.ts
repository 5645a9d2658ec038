import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { messageOf, systemErrorCode } from '../errors.ts';
import type { JobSummary } from './jobIndex.ts';

type Line = JobSummary & { readonly root: string };

/**
 * Summaries of the jobs that have ended, a line of JSON each, so that a start needs no look into every record. It can be
 * lost: what it does not know is read from the records.
 */
export class IndexFile {
  readonly #file: string;
  #fd: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** What was written down, by job root. */
  read(): ReadonlyMap<string, JobSummary> {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return new Map();
      throw error;
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

  /** Writes the file anew, without the jobs that are gone. */
  rewrite(summaries: Iterable<readonly [string, JobSummary]>): void {
    this.close();
    const lines = [...summaries].map(([root, summary]) => JSON.stringify({ root, ...summary }));
    const draft = `${this.#file}.new`;
    writeFileSync(draft, lines.join('\n'), { mode: 0o600 });
    renameSync(draft, this.#file);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** What a line says; undefined for one that a crash has cut or garbled: that job is read from its record. */
function entryOf(line: string): Line | undefined {
  if (line === '') return undefined;
  try {
    const value: unknown = JSON.parse(line);
    const isEntry = typeof value === 'object' && value !== null && 'root' in value;
    return isEntry && typeof value.root === 'string' ? (value as Line) : undefined;
  } catch (error) {
    if (messageOf(error).includes('JSON')) return undefined;
    throw error;
  }
}
