import { uuidOf } from '../jobRoot.ts';
import { PieceHits } from './pieceHits.ts';

/** A text that is looked for in others, whatever the size of the letters. */
export class SoughtText {
  /** In small letters. */
  readonly #small: string;
  /** The same in bytes, where a comparison of bytes finds it: when it is ASCII. */
  readonly bytes: Uint8Array | undefined;
  /** Between which the first 32 bits of a uuid are that begins so; not numbers where none does. */
  readonly #lowest: number;
  readonly #highest: number;
  /** By pieces of memory, which all texts of a search lie in. */
  readonly #hits = new Map<Buffer, PieceHits>();
  /** The piece that was asked for last: as a rule it is asked for next. */
  #piece: Buffer | undefined;
  #hitsInPiece: PieceHits | undefined;

  constructor(text: string) {
    this.#small = text.toLowerCase();
    this.bytes = /^\p{ASCII}*$/u.test(this.#small) ? Buffer.from(this.#small) : undefined;
    const digits = /^[0-9a-f]{1,8}(?=[0-9a-f-]*$)/.exec(this.#small)?.[0] ?? '';
    const spread = 2 ** (32 - 4 * digits.length);
    this.#lowest = Number.parseInt(digits, 16) * spread;
    this.#highest = this.#lowest + spread - 1;
  }

  isIn(text: string): boolean {
    return text.toLowerCase().includes(this.#small);
  }

  /** Where it stands in a piece of memory that is filled up to a place; undefined where only texts tell. */
  hitsIn(piece: Buffer, end: number): PieceHits | undefined {
    if (piece === this.#piece) return this.#hitsInPiece;
    if (this.bytes === undefined || this.bytes.length === 0) return undefined;
    const hits = this.#hits.get(piece) ?? new PieceHits(piece, end, this.#small);
    this.#hits.set(piece, hits);
    this.#piece = piece;
    this.#hitsInPiece = hits;
    return hits;
  }

  /** Whether the uuid in a job root may begin so, by its first 32 bits: most roots need not be put together for it. */
  mayBegin(bits: number): boolean {
    return bits >= this.#lowest && bits <= this.#highest;
  }

  /** Whether the uuid in a job root begins so. */
  begins(root: string): boolean {
    return !Number.isNaN(this.#lowest) && uuidOf(root).startsWith(this.#small);
  }
}
