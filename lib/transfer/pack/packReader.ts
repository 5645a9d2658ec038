import { isOthersTurn, turn } from '../../concurrency/turns.ts';
import { targetText } from '../names.ts';
import { type FailedEntry, readFailed } from './failedEntry.ts';
import {
  BROKEN,
  COPIED,
  COPY_HEAD_BYTES,
  copyStart,
  damagedPack,
  HEAD_BYTES,
  type PackHead,
  type PackStart,
  PIECE_BYTES,
  readHead,
  readStart,
  START_BYTES,
  SUM_BYTES,
} from './packFormat.ts';

/** An entry of a pack: its name as it stands there. */
export interface PackEntry extends Pick<PackHead, 'mode' | 'mtimeNs'> {
  readonly name: string;
}

/** Who takes what is in a pack, in its order. What it is given is its own only until it returns. */
export interface PackTarget {
  start(start: PackStart): Promise<void>;
  folder(entry: PackEntry): void;
  link(entry: PackEntry, target: string): void;
  /** A file with all of its content. */
  file(entry: PackEntry, content: Buffer): void;
  /** A file whose content comes in pieces: `piece` for each, then `close`. */
  open(entry: PackEntry): void;
  piece(content: Buffer): Promise<void>;
  /** A file made from the one that is in its place: `piece` and `copy` for each part, then `closePatch`. */
  openPatch(entry: PackEntry): void;
  copy(from: number, bytes: number): Promise<void>;
  close(): void;
  /** What has come of the file is not to be kept. */
  drop(): void;
  /** A file that could not be sent. */
  failed(entry: FailedEntry): void;
  /** @param sum the SHA-256 that the file has to have */
  closePatch(sum: Buffer): void;
}

type State = 'start' | 'records' | 'pieces' | 'piece' | 'sum' | 'after';
const NOTHING = Buffer.alloc(0);

/** Reads a pack as it comes, in whatever pieces, in turns with other work. */
export class PackReader {
  readonly #target: PackTarget;
  #state: State = 'start';
  /** The beginning of something whose rest has not come. */
  #held: Buffer = NOTHING;
  #pieceLeft = 0;
  /** Whether the pieces are those of a patch. */
  #isPatch = false;
  #entries = 0;

  constructor(target: PackTarget) {
    this.#target = target;
  }

  /** Takes what has come next; the buffer may be used again afterwards. @throws BadRequestError; what the target throws */
  async take(content: Buffer): Promise<void> {
    let rest = this.#held.length === 0 ? content : Buffer.concat([this.#held, content]);
    this.#held = NOTHING;
    while (rest.length > 0) {
      if (isOthersTurn()) await turn();
      if (this.#state === 'piece') {
        const piece = rest.subarray(0, this.#pieceLeft);
        await this.#target.piece(piece);
        this.#pieceLeft -= piece.length;
        if (this.#pieceLeft === 0) this.#state = 'pieces';
        rest = rest.subarray(piece.length);
        continue;
      }
      const used =
        this.#state === 'records' ? this.#record(rest) : await this.#other(this.#state, rest);
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    if (rest.length > 0) this.#held = Buffer.from(rest);
  }

  /** To be called when nothing more comes. @throws BadRequestError when that is not the end of the pack */
  finish(): void {
    if (this.#state !== 'after' || this.#held.length > 0) throw damagedPack('it ends too early');
  }

  /** As `record`, of what is none. */
  #other(state: Exclude<State, 'records' | 'piece'>, from: Buffer): number | Promise<number> {
    switch (state) {
      case 'start':
        return this.#start(from);
      case 'pieces':
        return this.#pieceHead(from);
      case 'sum':
        return this.#sum(from);
      case 'after':
        throw damagedPack('it goes on behind its end');
    }
  }

  async #start(from: Buffer): Promise<number> {
    if (from.length < START_BYTES) return 0;
    await this.#target.start(readStart(from));
    this.#state = 'records';
    return START_BYTES;
  }

  /** Takes one record; returns how many bytes it has, 0 when it has not come as a whole. */
  #record(from: Buffer): number {
    if (from.length < HEAD_BYTES) return 0;
    const head = readHead(from, 0);
    const nameEnd = HEAD_BYTES + head.nameBytes;
    const isWhole = head.kind === 'file' || head.kind === 'link' || head.kind === 'failed';
    const end = isWhole ? nameEnd + head.bytes : nameEnd;
    if (from.length < end) return 0;
    const { mode, mtimeNs } = head;
    const entry = { name: from.toString('utf8', HEAD_BYTES, nameEnd), mode, mtimeNs };
    switch (head.kind) {
      case 'end':
        if (head.bytes !== this.#entries || head.nameBytes > 0)
          throw damagedPack(`its end says it has ${head.bytes} entries, not ${this.#entries}`);
        this.#state = 'after';
        return end;
      case 'folder':
        this.#target.folder(entry);
        break;
      case 'link':
        this.#target.link(entry, targetText(from.subarray(nameEnd, end), entry.name));
        break;
      case 'file':
        this.#target.file(entry, from.subarray(nameEnd, end));
        break;
      case 'failed':
        this.#target.failed(readFailed(entry.name, from.subarray(nameEnd, end)));
        break;
      case 'pieces':
        this.#target.open(entry);
        this.#isPatch = false;
        this.#state = 'pieces';
        break;
      case 'patch':
        this.#target.openPatch(entry);
        this.#isPatch = true;
        this.#state = 'pieces';
    }
    this.#entries += 1;
    return end;
  }

  async #pieceHead(from: Buffer): Promise<number> {
    if (from.length < 4) return 0;
    const bytes = from.readUInt32LE(0);
    if (this.#isPatch && bytes > COPIED) {
      if (from.length < COPY_HEAD_BYTES) return 0;
      await this.#target.copy(copyStart(from), bytes - COPIED);
      return COPY_HEAD_BYTES;
    }
    if (bytes === BROKEN) {
      this.#target.drop();
      // It is counted as what comes next, which says why.
      this.#entries -= 1;
      this.#state = 'records';
      return 4;
    }
    if (bytes > PIECE_BYTES) throw damagedPack('a piece is longer than one can be');
    this.#pieceLeft = bytes;
    if (bytes > 0) this.#state = 'piece';
    else if (this.#isPatch) this.#state = 'sum';
    else {
      this.#target.close();
      this.#state = 'records';
    }
    return 4;
  }

  #sum(from: Buffer): number {
    if (from.length < SUM_BYTES) return 0;
    this.#target.closePatch(from.subarray(0, SUM_BYTES));
    this.#state = 'records';
    return SUM_BYTES;
  }
}
