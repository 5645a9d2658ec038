import { randomBytes } from 'node:crypto';
import { nextCapacity, withRoom } from './columns.ts';
import type { SoughtText } from './soughtText.ts';

/** Of a piece of memory that texts are put into, in bytes: 2 ** 16, for the places of texts are numbers of 32 bits. */
const PIECE = 65_536;
/** In the length of a text that is kept as UTF-16, since UTF-8 cannot tell it: it has half of a pair. */
const AS_UTF16 = 0x80000000;
const LOOSE_HALF = /\p{Surrogate}/u;

const NONE = -1;

/**
 * Many texts in little memory: each one once, as bytes, under a number. A text is there for as long as somebody holds it. Made
 * for a million of them: the objects of a `Map` would take ten times as much, and the garbage collector would look at each.
 */
export class Texts {
  readonly #pieces: (Buffer | undefined)[] = [];
  /** How many bytes of each piece are of texts that are there; one more a text, since a text may have none. */
  readonly #used: number[] = [];
  readonly #freePieces: number[] = [];
  #piece = NONE;
  #filled = PIECE;

  /** By number: the piece and the place in it, the length in bytes, the hash, the next one of the same slot, and how often it is held. */
  #places = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #hashes = new Uint32Array(0);
  #nexts = new Int32Array(0);
  #holds = new Uint32Array(0);
  #slots = new Int32Array(64).fill(NONE);
  #count = 0;
  #next = 0;
  #free = NONE;
  /** So that nobody can choose texts that fall into one slot. */
  readonly #seed = randomBytes(4).readUInt32LE();
  #scratch = Buffer.allocUnsafe(1024);

  /** How much memory the texts themselves take. */
  get bytes(): number {
    return this.#pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0);
  }

  /** Makes room for so many texts. */
  reserve(count: number): void {
    this.#growTo(count);
    this.#spread(count);
  }

  /** The number of a text, which is held once more from now on. */
  hold(text: string): number {
    const length = this.#encode(text);
    return this.holdBytes(this.#scratch, 0, length & ~AS_UTF16, length);
  }

  /** The same for a text that stands as UTF-8 in some bytes. */
  holdBytes(bytes: Buffer, from: number, to: number, length = to - from): number {
    const hash = this.#hash(bytes, from, to);
    const found = this.#find(bytes, from, length, hash);
    if (found !== NONE) {
      this.#holds[found] = (this.#holds[found] ?? 0) + 1;
      return found;
    }
    if (this.#count >= this.#slots.length) this.#spread(this.#count * 2);
    const id = this.#newId();
    this.#places[id] = this.#put(bytes, from, to);
    this.#lengths[id] = length;
    this.#hashes[id] = hash;
    this.#holds[id] = 1;
    const slot = hash & (this.#slots.length - 1);
    this.#nexts[id] = this.#slots[slot] ?? NONE;
    this.#slots[slot] = id;
    this.#count += 1;
    return id;
  }

  /** The number of a text; -1 when it is not there. */
  find(text: string): number {
    const length = this.#encode(text);
    const hash = this.#hash(this.#scratch, 0, length & ~AS_UTF16);
    return this.#find(this.#scratch, 0, length, hash);
  }

  /** The text of a number that is held. */
  get(id: number): string {
    const place = this.#places[id] ?? 0;
    const length = this.#lengths[id] ?? 0;
    const at = place % PIECE;
    const piece = this.#pieces[Math.floor(place / PIECE)];
    if (piece === undefined) return '';
    const end = at + (length & ~AS_UTF16);
    return (length & AS_UTF16) === 0
      ? piece.toString('utf8', at, end)
      : piece.toString('utf16le', at, end);
  }

  /** Whether the text of a number has another one in it. Most are ASCII: a text that is made of each would take longer. */
  has(id: number, sought: SoughtText): boolean {
    return this.#hasBytes(id, sought) ?? sought.isIn(this.get(id));
  }

  /** Somebody holds it no more; true when nobody does: its number may mean another text from now on. */
  release(id: number): boolean {
    const holds = (this.#holds[id] ?? 0) - 1;
    this.#holds[id] = holds;
    if (holds > 0) return false;
    const place = this.#places[id] ?? 0;
    const length = (this.#lengths[id] ?? 0) & ~AS_UTF16;
    const piece = Math.floor(place / PIECE);
    this.#unlink(id, this.#hashes[id] ?? 0);
    this.#letGo(piece, length + 1);
    this.#nexts[id] = this.#free;
    this.#free = id;
    this.#count -= 1;
    return true;
  }

  /** The same as far as bytes tell; undefined where the text is not ASCII: K has a form that is not, for one. */
  #hasBytes(id: number, sought: SoughtText): boolean | undefined {
    const { bytes } = sought;
    const length = this.#lengths[id] ?? 0;
    const place = this.#places[id] ?? 0;
    const number = Math.floor(place / PIECE);
    const piece = this.#pieces[number];
    if (bytes === undefined || piece === undefined || (length & AS_UTF16) !== 0) return undefined;
    const from = place % PIECE;
    const to = from + length;
    const filled = number === this.#piece ? this.#filled : piece.length;
    return sought.hitsIn(piece, filled)?.has(from, to) ?? hasSmall(piece, from, to, bytes);
  }

  #find(bytes: Buffer, from: number, length: number, hash: number): number {
    let id = this.#slots[hash & (this.#slots.length - 1)] ?? NONE;
    while (id !== NONE && !(this.#hashes[id] === hash && this.#isAt(id, bytes, from, length))) {
      id = this.#nexts[id] ?? NONE;
    }
    return id;
  }

  #isAt(id: number, bytes: Buffer, from: number, marked: number): boolean {
    if (this.#lengths[id] !== marked) return false;
    const length = marked & ~AS_UTF16;
    if (length === 0) return true;
    const place = this.#places[id] ?? 0;
    const piece = this.#pieces[Math.floor(place / PIECE)];
    if (piece === undefined) return false;
    const at = place % PIECE;
    for (let i = 0; i < length; i += 1) if (piece[at + i] !== bytes[from + i]) return false;
    return true;
  }

  #newId(): number {
    const id = this.#free;
    if (id !== NONE) {
      this.#free = this.#nexts[id] ?? NONE;
      return id;
    }
    if (this.#next === this.#places.length) this.#growTo(nextCapacity(this.#next));
    this.#next += 1;
    return this.#next - 1;
  }

  /** Copies a text to where it stays. */
  #put(bytes: Buffer, from: number, to: number): number {
    const length = to - from;
    // A long one has a piece of its own.
    const isLong = length > PIECE / 8;
    if (isLong || this.#filled + length > PIECE) {
      const piece = this.#newPiece(isLong ? length : PIECE);
      if (isLong) {
        bytes.copy(this.#pieces[piece] ?? bytes, 0, from, to);
        this.#used[piece] = length + 1;
        return piece * PIECE;
      }
      const before = this.#piece;
      this.#piece = piece;
      this.#filled = 0;
      if (before !== NONE) this.#letGo(before, 0);
    }
    const target = this.#pieces[this.#piece];
    const at = this.#filled;
    // A call of `copy` costs more than a short text.
    if (target !== undefined) {
      for (let i = 0; i < length; i += 1) target[at + i] = bytes[from + i] ?? 0;
    }
    this.#used[this.#piece] = (this.#used[this.#piece] ?? 0) + length + 1;
    this.#filled += length;
    return this.#piece * PIECE + at;
  }

  #newPiece(length: number): number {
    const piece = this.#freePieces.pop() ?? this.#pieces.length;
    this.#pieces[piece] = Buffer.alloc(length);
    this.#used[piece] = 0;
    return piece;
  }

  /** Bytes of a piece are of no text any more. A piece of which that is true altogether is given back. */
  #letGo(piece: number, bytes: number): void {
    const used = (this.#used[piece] ?? 0) - bytes;
    this.#used[piece] = used;
    if (used > 0 || piece === this.#piece) return;
    this.#pieces[piece] = undefined;
    this.#freePieces.push(piece);
  }

  #unlink(id: number, hash: number): void {
    const slot = hash & (this.#slots.length - 1);
    const next = this.#nexts[id] ?? NONE;
    let before = this.#slots[slot] ?? NONE;
    if (before === id) {
      this.#slots[slot] = next;
      return;
    }
    while (before !== NONE && this.#nexts[before] !== id) before = this.#nexts[before] ?? NONE;
    if (before !== NONE) this.#nexts[before] = next;
  }

  #growTo(count: number): void {
    this.#places = withRoom(this.#places, count);
    this.#lengths = withRoom(this.#lengths, count);
    this.#hashes = withRoom(this.#hashes, count);
    this.#nexts = withRoom(this.#nexts, count);
    this.#holds = withRoom(this.#holds, count);
  }

  /** Has about a slot for each of so many texts. */
  #spread(count: number): void {
    let size = this.#slots.length;
    while (size < count) size *= 2;
    if (size === this.#slots.length) return;
    this.#slots = new Int32Array(size).fill(NONE);
    for (let id = 0; id < this.#next; id += 1) {
      if (this.#holds[id] === 0) continue;
      const slot = (this.#hashes[id] ?? 0) & (size - 1);
      this.#nexts[id] = this.#slots[slot] ?? NONE;
      this.#slots[slot] = id;
    }
  }

  /** FNV-1a with the finish of MurmurHash3, whose lower bits are as good as the others. */
  #hash(bytes: Buffer, from: number, to: number): number {
    let hash = this.#seed;
    for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** Writes a text into the scratch; its length in bytes, marked where that is UTF-16. */
  #encode(text: string): number {
    if (this.#scratch.length < text.length * 3) {
      this.#scratch = Buffer.allocUnsafe(text.length * 4);
    }
    if (LOOSE_HALF.test(text)) return (this.#scratch.write(text, 'utf16le') | AS_UTF16) >>> 0;
    return this.#scratch.write(text, 'utf8');
  }
}

/** Whether a text of ASCII has another one in it, which is in small letters; undefined where it is not ASCII. */
function hasSmall(
  piece: Uint8Array,
  from: number,
  to: number,
  small: Uint8Array,
): boolean | undefined {
  const last = to - small.length;
  for (let at = from; at < to; at += 1) {
    if ((piece[at] ?? 0) >= 0x80) return undefined;
    if (at <= last && isSmallAt(piece, at, small)) return true;
  }
  return small.length === 0;
}

/** Whether ASCII stands there, whatever the size of its letters. */
function isSmallAt(bytes: Uint8Array, at: number, small: Uint8Array): boolean {
  for (let i = 0; i < small.length; i += 1) {
    const byte = bytes[at + i] ?? 0;
    const isLarge = byte >= 0x41 && byte <= 0x5a;
    if ((isLarge ? byte + 0x20 : byte) !== small[i]) return false;
  }
  return true;
}
