import { appendFileSync, type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { preciseNow } from '../../lib/host/clock.ts';
import { partFiles } from './spool.ts';

export type StreamName = 'stdout' | 'stderr';

/** Output that has come in between two looks: bytes `from` to before `to` of one stream. */
export interface OutputChunk {
  readonly stream: StreamName;
  /** When it was seen, in milliseconds since 1970. */
  readonly seenAt: number;
  readonly from: number;
  readonly to: number;
}

/** A part that ends sooner than this gets no log: its output counts as come in at its end. */
const START_MS = 30;
/** Growth of one stream within this time is one chunk, so that a flood of output is no flood of lines; milliseconds. */
const MERGE_MS = 10;
/** A log does not grow beyond so many lines; what comes later counts as one chunk. */
const MAX_LINES = 100_000;

/**
 * Writes down when the output files of a running part grow, in `<k>.log`: a line `[seenAt, stream, size]` each time. The
 * system tells of a growth when it happens; what was written to both streams within about a millisecond cannot be ordered.
 */
export class OutputLog {
  readonly #file: string;
  readonly #paths: Readonly<Record<StreamName, string>>;
  readonly #sizes: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  readonly #timer: NodeJS.Timeout;
  readonly #later = new Map<StreamName, NodeJS.Timeout>();
  #watchers: readonly FSWatcher[] = [];
  #last: { stream: StreamName; at: number } | undefined;
  #lines = 0;

  constructor(folder: string, part: number) {
    const { out, err } = partFiles(folder, part);
    this.#paths = { stdout: out, stderr: err };
    this.#file = logFile(folder, part);
    this.#timer = setTimeout(() => this.#begin(), START_MS);
  }

  /** The part has ended: what it wrote last is noted, in the order of the last writes. */
  close(): void {
    clearTimeout(this.#timer);
    for (const timer of this.#later.values()) clearTimeout(timer);
    for (const watcher of this.#watchers) watcher.close();
    if (this.#watchers.length === 0) return;
    const written = (stream: StreamName) =>
      statSync(this.#paths[stream], { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const inOrder: StreamName[] = ['stdout', 'stderr'];
    inOrder.sort((a, b) => written(a) - written(b));
    for (const stream of inOrder) this.#note(stream);
  }

  #begin(): void {
    try {
      this.#watchers = (['stdout', 'stderr'] as const).map((stream) =>
        watch(this.#paths[stream], () => this.#grown(stream)),
      );
      for (const watcher of this.#watchers) watcher.on('error', () => watcher.close());
    } catch (error) {
      // No more watches are to be had (inotify(7)), or the spool was removed: the part goes on without a log.
      console.error(`${this.#file}: ${messageOf(error)}`);
      return;
    }
    this.#grown('stdout');
    this.#grown('stderr');
  }

  #grown(stream: StreamName): void {
    const now = preciseNow();
    const wasLast = this.#last?.stream === stream && now - this.#last.at < MERGE_MS;
    if (!wasLast) this.#note(stream);
    else if (!this.#later.has(stream)) {
      const timer = setTimeout(() => {
        this.#later.delete(stream);
        this.#note(stream);
      }, MERGE_MS);
      this.#later.set(stream, timer);
    }
  }

  #note(stream: StreamName): void {
    const size = statSync(this.#paths[stream], { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.#sizes[stream] || this.#lines >= MAX_LINES) return;
    this.#sizes[stream] = size;
    this.#last = { stream, at: preciseNow() };
    this.#lines += 1;
    try {
      appendFileSync(this.#file, `${JSON.stringify([this.#last.at, stream, size])}\n`);
    } catch (error) {
      // A full disk: the output itself matters more, and the next line tells of this growth too.
      if (systemErrorCode(error) !== 'ENOENT') console.error(`${this.#file}: ${messageOf(error)}`);
    }
  }
}

/**
 * The chunks of a part's output in the order in which they came in. What the log does not tell of comes last.
 * @param endedAt when the part ended, or now
 */
export function readOutputLog(
  folder: string,
  part: number,
  endedAt: number,
): readonly OutputChunk[] {
  const chunks: OutputChunk[] = [];
  const sizes: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  const add = (stream: StreamName, seenAt: number, to: number) => {
    if (to <= sizes[stream]) return;
    chunks.push({ stream, seenAt, from: sizes[stream], to });
    sizes[stream] = to;
  };
  for (const line of readText(logFile(folder, part)).split('\n')) {
    if (!line.endsWith(']')) continue; // the last one, or cut
    const [seenAt, stream, size] = JSON.parse(line) as [number, StreamName, number];
    add(stream, seenAt, size);
  }
  const { out, err } = partFiles(folder, part);
  add('stdout', endedAt, statSync(out, { throwIfNoEntry: false })?.size ?? 0);
  add('stderr', endedAt, statSync(err, { throwIfNoEntry: false })?.size ?? 0);
  return chunks;
}

function logFile(folder: string, part: number): string {
  return join(folder, `${part}.log`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
