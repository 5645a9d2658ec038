import { appendFileSync, type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { preciseNow } from '../../lib/host/clock.ts';
import { partFiles, placeNow } from './spool.ts';

export type StreamName = 'stdout' | 'stderr';

/** Output that has come in between two looks: bytes `from` to before `to` of one stream. */
export interface OutputChunk {
  readonly stream: StreamName;
  /** When it was seen, in milliseconds since 1970. */
  readonly seenAt: number;
  readonly from: number;
  readonly to: number;
}

/** A part that ends sooner than this gets no log, unless it has written to both streams; milliseconds. */
export const MOMENT_MS = 30;
/** Growth of one stream within this time is one chunk, so that a flood of output is no flood of lines; milliseconds. */
export const MERGE_MS = 10;
/** A log does not grow beyond so many lines; what comes later counts as one chunk. */
const MAX_LINES = 100_000;

/**
 * Writes down when the outputs of a part grow, in `<k>.log`: a line `[seenAt, stream, size]` each time. The file is made
 * when it has something to tell: the part goes on for more than a moment, or both streams have something.
 */
export class OutputLog {
  readonly #folder: string;
  readonly #part: number;
  readonly #begunAt = preciseNow();
  readonly #sizes: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  #lines: string[] = [];
  #count = 0;
  #last: { readonly stream: StreamName; readonly at: number } | undefined;
  /** The last growth of the stream that the last line is about. */
  #merged: { readonly stream: StreamName; readonly size: number } | undefined;

  constructor(folder: string, part: number) {
    this.#folder = folder;
    this.#part = part;
  }

  /** A stream has this size now. Says whether `flush` has to be called MERGE_MS later. */
  grown(stream: StreamName, size: number): boolean {
    const now = preciseNow();
    if (this.#last?.stream === stream && now - this.#last.at < MERGE_MS) {
      this.#merged = { stream, size };
      return true;
    }
    this.#noteMerged();
    this.#note(stream, size, now);
    this.#write(now - this.#begunAt > MOMENT_MS);
    return this.#lines.length > 0;
  }

  /** Writes what is known. */
  flush(): void {
    this.#noteMerged();
    this.#write(preciseNow() - this.#begunAt > MOMENT_MS);
  }

  #noteMerged(): void {
    if (this.#merged !== undefined)
      this.#note(this.#merged.stream, this.#merged.size, preciseNow());
    this.#merged = undefined;
  }

  #note(stream: StreamName, size: number, at: number): void {
    if (size <= this.#sizes[stream] || this.#count >= MAX_LINES) return;
    this.#sizes[stream] = size;
    this.#last = { stream, at };
    this.#count += 1;
    this.#lines.push(`${JSON.stringify([at, stream, size])}\n`);
  }

  #write(isLong: boolean): void {
    const { stdout, stderr } = this.#sizes;
    if (this.#lines.length === 0 || !(isLong || (stdout > 0 && stderr > 0))) return;
    // Somebody may have moved the folder since the last line.
    const file = outputLogFile(placeNow(this.#folder), this.#part);
    try {
      appendFileSync(file, this.#lines.join(''), { mode: 0o600 });
    } catch (error) {
      // A full disk: the output itself matters more, and the next line tells of this growth too.
      if (systemErrorCode(error) !== 'ENOENT') console.error(`${file}: ${messageOf(error)}`);
    }
    this.#lines = [];
  }
}

/** Keeps the log of a part that writes its files itself, as over ssh: the system tells of a growth when it happens. */
export class OutputWatch {
  readonly #log: OutputLog;
  readonly #paths: Readonly<Record<StreamName, string>>;
  readonly #timer: NodeJS.Timeout;
  #later: NodeJS.Timeout | undefined;
  #watchers: readonly FSWatcher[] = [];

  constructor(folder: string, part: number) {
    const { out, err } = partFiles(folder, part);
    this.#paths = { stdout: out, stderr: err };
    this.#log = new OutputLog(folder, part);
    this.#timer = setTimeout(() => this.#begin(), MOMENT_MS);
  }

  /** The part has ended: what it wrote last is noted, in the order of the last writes. */
  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#later);
    for (const watcher of this.#watchers) watcher.close();
    if (this.#watchers.length === 0) return;
    const written = (stream: StreamName) =>
      statSync(this.#paths[stream], { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const inOrder: StreamName[] = ['stdout', 'stderr'];
    inOrder.sort((a, b) => written(a) - written(b));
    for (const stream of inOrder) this.#grown(stream);
    clearTimeout(this.#later);
    this.#log.flush();
  }

  #begin(): void {
    try {
      this.#watchers = (['stdout', 'stderr'] as const).map((stream) =>
        watch(this.#paths[stream], () => this.#grown(stream)),
      );
      for (const watcher of this.#watchers) watcher.on('error', () => watcher.close());
    } catch (error) {
      // No more watches are to be had (inotify(7)), or the spool was removed: the part goes on without a log.
      console.error(`${this.#paths.stdout}: ${messageOf(error)}`);
      return;
    }
    this.#grown('stdout');
    this.#grown('stderr');
  }

  #grown(stream: StreamName): void {
    const size = statSync(this.#paths[stream], { throwIfNoEntry: false })?.size ?? 0;
    if (!this.#log.grown(stream, size) || this.#later !== undefined) return;
    this.#later = setTimeout(() => {
      this.#later = undefined;
      this.#log.flush();
    }, MERGE_MS);
  }
}

/**
 * The chunks of a part's output in the order in which they came in. What the log does not tell of comes last.
 * @param endedAt when the part ended, or now while it runs; undefined when nobody knows: then the last writes tell
 */
export function readOutputLog(
  folder: string,
  part: number,
  endedAt: number | undefined,
): readonly OutputChunk[] {
  const chunks: OutputChunk[] = [];
  const sizes: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  const add = (seenAt: number, stream: StreamName, to: number) => {
    if (to <= sizes[stream]) return;
    chunks.push({ stream, seenAt, from: sizes[stream], to });
    sizes[stream] = to;
  };
  for (const line of readText(outputLogFile(folder, part)).split('\n')) {
    const growth = growthIn(line);
    if (growth !== undefined) add(...growth);
  }
  const { out, err } = partFiles(folder, part);
  for (const [stream, file] of [['stdout', out] as const, ['stderr', err] as const]) {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined) add(endedAt ?? stat.mtimeMs, stream, stat.size);
  }
  return chunks;
}

/** What a line of the log says: when a stream was seen to have how many bytes; undefined for one that is cut. */
export function growthIn(line: string): [number, StreamName, number] | undefined {
  if (!line.endsWith(']')) return undefined;
  return JSON.parse(line) as [number, StreamName, number];
}

/** Where the log of a part is; it may be missing. */
export function outputLogFile(folder: string, part: number): string {
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
