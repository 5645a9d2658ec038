import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isFolder, makeFolder } from '../host/folders.ts';
import { requireHeld } from '../host/heldFolders.ts';
import { PRIVATE } from '../host/rights.ts';
import { eventIn, type LoggedEvent } from './event.ts';

/** A file of the log: the events from one number on. */
export interface Segment {
  readonly first: number;
  bytes: number;
  /** When something was last written to it, in milliseconds since 1970. */
  writtenAt: number;
}

const NAME = /^(\d{16})\.jsonl$/;
const READ_BYTES = 256 * 1024;
/** A look into a file begins at one of these places: an offset for each so many bytes. */
const STEP_BYTES = 64 * 1024;

/**
 * The files of the event log: lines of JSON, a file for each few megabytes, named by its first number. Numbers grow by one
 * from line to line and from file to file.
 */
export class Segments {
  readonly #folder: string;
  readonly #segments: Segment[] = [];
  /** Where some of a file's events begin, by number, for the files that were written or read by this process. */
  readonly #places = new Map<number, [seq: number, offset: number][]>();
  #fd: number | undefined;
  #newest: number;

  /**
   * Opens the files in a folder; where it is missing it is made with the first event. A last line that a crash has cut is
   * taken away.
   * @throws the file system's error
   */
  constructor(folder: string) {
    this.#folder = folder;
    const firsts = (isFolder(folder) ? readdirSync(folder) : [])
      .map((name) => NAME.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
    for (const first of firsts) {
      const { size, mtimeMs } = statSync(this.#pathOf(first));
      this.#segments.push({ first, bytes: size, writtenAt: mtimeMs });
    }
    this.#newest = this.#mendLast();
  }

  /** The number of the last event; 0 when there has never been one. */
  get newest(): number {
    return this.#newest;
  }

  /** The number of the first event that is kept, or that will be the next one. */
  get oldest(): number {
    return this.#segments[0]?.first ?? this.#newest + 1;
  }

  get files(): readonly Readonly<Segment>[] {
    return this.#segments;
  }

  /**
   * Adds events, whose numbers follow that of the last one. All are written, or none.
   * @throws the file system's error
   */
  append(events: readonly LoggedEvent[], maxBytes: number, now: number): void {
    const [head] = events;
    if (head === undefined) return;
    let last = this.#segments.at(-1);
    if (last === undefined || last.bytes >= maxBytes) last = this.#begin(head.event.seq, now);
    this.#fd ??= this.#opened(last.first);
    const bytes = Buffer.from(events.map(({ line }) => `${line}\n`).join(''));
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      // A part of a line would be taken for the beginning of the next one.
      ftruncateSync(this.#fd, last.bytes);
      throw error;
    }
    this.#remember(last.first, head.event.seq, last.bytes);
    last.bytes += bytes.length;
    last.writtenAt = now;
    this.#newest = head.event.seq + events.length - 1;
  }

  /** Some of the events behind a number, oldest first; none when there are no more. A file is read by a few blocks at a time. */
  readAfter(seq: number, most: number): readonly LoggedEvent[] {
    const found: LoggedEvent[] = [];
    const from = Math.max(seq + 1, this.oldest);
    const index = this.#segments.findLastIndex(({ first }) => first <= from);
    for (const { first } of this.#segments.slice(Math.max(index, 0))) {
      for (const logged of this.#linesOf(first, from)) {
        if (logged.event.seq < from) continue;
        found.push(logged);
        if (found.length >= most) return found;
      }
      if (found.length > 0) return found;
    }
    return found;
  }

  /** Removes files from the oldest on, as long as `isOver` says so; never the one that is written to. */
  dropWhile(isOver: (file: Readonly<Segment>, totalBytes: number) => boolean): void {
    for (;;) {
      const [oldest] = this.#segments;
      const total = this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
      if (oldest === undefined || this.#segments.length < 2 || !isOver(oldest, total)) return;
      requireHeld(this.#folder);
      rmSync(this.#pathOf(oldest.first), { force: true });
      this.#places.delete(oldest.first);
      this.#segments.shift();
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #pathOf(first: number): string {
    return join(this.#folder, `${String(first).padStart(16, '0')}.jsonl`);
  }

  #opened(first: number): number {
    requireHeld(this.#folder);
    return openSync(this.#pathOf(first), 'a', PRIVATE.file);
  }

  #begin(first: number, now: number): Segment {
    this.close();
    makeFolder(this.#folder, PRIVATE.folder);
    const segment = { first, bytes: 0, writtenAt: now };
    this.#segments.push(segment);
    return segment;
  }

  /** Takes what is behind the last whole line away; gives the number of the last event. */
  #mendLast(): number {
    const last = this.#segments.at(-1);
    if (last === undefined) return 0;
    let newest = last.first - 1;
    let end = 0;
    for (const { event, endsAt } of this.#linesOf(last.first, last.first)) {
      newest = event.seq;
      end = endsAt;
    }
    if (end < last.bytes) {
      const fd = openSync(this.#pathOf(last.first), 'r+');
      ftruncateSync(fd, end);
      closeSync(fd);
      last.bytes = end;
    }
    return newest;
  }

  /** The events of a file from the last known place before a number on. A line that is none ends it. */
  *#linesOf(first: number, seq: number): Generator<LoggedEvent & { readonly endsAt: number }> {
    const place = this.#places.get(first)?.findLast(([known]) => known <= seq);
    const fd = openSync(this.#pathOf(first), 'r');
    try {
      let offset = place?.[1] ?? 0;
      const { size } = fstatSync(fd);
      let rest = Buffer.alloc(0);
      while (offset + rest.length < size) {
        const block = Buffer.alloc(Math.min(READ_BYTES, size - offset - rest.length));
        const read = readSync(fd, block, 0, block.length, offset + rest.length);
        if (read === 0) return;
        rest = Buffer.concat([rest, block.subarray(0, read)]);
        let from = 0;
        for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, from)) {
          const logged = eventIn(rest.toString('utf8', from, end));
          if (logged === undefined) return;
          this.#remember(first, logged.event.seq, offset + from);
          from = end + 1;
          yield { ...logged, endsAt: offset + from };
        }
        rest = rest.subarray(from);
        offset += from;
      }
    } finally {
      closeSync(fd);
    }
  }

  #remember(first: number, seq: number, offset: number): void {
    const places = this.#places.get(first) ?? [];
    const last = places.at(-1);
    if (last !== undefined && (offset < last[1] + STEP_BYTES || seq <= last[0])) return;
    places.push([seq, offset]);
    this.#places.set(first, places);
  }
}
