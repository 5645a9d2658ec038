import { closeSync, openSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { moveBytes, openAtEnd, unreadBytes, widen } from './nativePipe.ts';
import { OutputLog, type StreamName } from './outputLog.ts';
import { partFiles, placeNow } from './spool.ts';

/** How much is moved of one output before the others have their turn, in bytes. */
const TURN_BYTES = 4 * 1024 * 1024;
const WIDE_BYTES = 1024 * 1024;
const NORMAL_BYTES = 64 * 1024;
/** Where goes what nobody wants. */
const NOWHERE = '/dev/null';
/** The disk or a quota takes no more just now. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * `idle`: nothing waits now; `more`: there may be more; `ended`: nothing more comes; `stuck`: the disk
 * takes nothing now, so that it stays in the pipe, and the writer waits once that is full.
 */
export type CopyState = 'idle' | 'more' | 'ended' | 'stuck';

/** One part whose outputs are copied. */
export class CopiedPart {
  readonly name: string;
  readonly streams: readonly CopiedStream[];
  readonly log: OutputLog;

  constructor(name: string, readers: readonly [number, number], maxBytes: number) {
    this.name = name;
    const [folder, part] = [dirname(name), Number(basename(name))];
    this.log = new OutputLog(folder, part);
    const file = (stream: 'out' | 'err') => () => partFiles(placeNow(folder), part)[stream];
    this.streams = [
      new CopiedStream(this, 'stdout', readers[0], file('out'), maxBytes),
      new CopiedStream(this, 'stderr', readers[1], file('err'), maxBytes),
    ];
  }

  get hasEnded(): boolean {
    return this.streams.every(({ hasEnded }) => hasEnded);
  }
}

/** As /proc shows it; empty where there is no /proc. */
function pipeName(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** The way of one output from its pipe to its file. */
export class CopiedStream {
  readonly part: CopiedPart;
  readonly name: StreamName;
  readonly reader: number;
  /** Asked when it is opened: somebody may have moved the folder by then. */
  readonly #path: () => string;
  readonly #maxBytes: number;
  #file: number | undefined;
  #size = 0;
  #isDiscarded = false;
  #isWide = false;
  /** The log has something to write soon. */
  needsFlush = false;
  hasEnded = false;

  constructor(
    part: CopiedPart,
    name: StreamName,
    reader: number,
    path: () => string,
    maxBytes: number,
  ) {
    this.part = part;
    this.name = name;
    this.reader = reader;
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** As /proc shows it; empty once it is closed. */
  get pipe(): string {
    return this.hasEnded ? '' : pipeName(this.reader);
  }

  /**
   * Moves what waits.
   * @param isHungUp whether no writer was left
   * @param onFull is called once, when there is more than the limit
   */
  copy(isHungUp: boolean, onFull: () => void): CopyState {
    if (this.hasEnded) return 'ended';
    try {
      const moved = this.#move(onFull);
      if (moved > 0 && !this.#isDiscarded)
        this.needsFlush = this.part.log.grown(this.name, this.#size);
      if (unreadBytes(this.reader) > 0) return 'more';
      return isHungUp ? 'ended' : 'idle';
    } catch (error) {
      const code = systemErrorCode(error) ?? '';
      if (NO_ROOM.has(code)) return 'stuck';
      // The spool folder was removed: nobody wants it any more. A file may be limited (`ulimit -f`).
      if (code === 'EFBIG') onFull();
      else if (code !== 'ENOENT') console.error(`${this.#path()}: ${messageOf(error)}`);
      this.#discard();
      return 'more';
    }
  }

  /** Gives the pipe up. */
  close(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.#file !== undefined) closeSync(this.#file);
    closeSync(this.reader);
  }

  #move(onFull: () => void): number {
    let total = 0;
    while (total < TURN_BYTES && unreadBytes(this.reader) > 0) {
      // Made with the first byte: most parts write nothing to their stderr.
      const file = this.#file ?? this.#open();
      const room = this.#isDiscarded ? TURN_BYTES : this.#maxBytes - this.#size;
      if (room <= 0) {
        onFull();
        this.#discard();
        continue;
      }
      const moved = moveBytes(this.reader, file, Math.min(room, WIDE_BYTES));
      total += moved;
      this.#size += moved;
      // A pipe that is full: whoever writes so much has to wait less often then.
      if (moved >= NORMAL_BYTES && !this.#isWide) widen(this.reader, WIDE_BYTES);
      this.#isWide ||= moved >= NORMAL_BYTES;
    }
    return total;
  }

  /** Behind what is there: an earlier copier may have written some. */
  #open(): number {
    const { fd, size } = openAtEnd(this.#path());
    this.#file = fd;
    this.#size = size;
    return fd;
  }

  #discard(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#isDiscarded = true;
    this.#file = openSync(NOWHERE, 'w');
  }
}
