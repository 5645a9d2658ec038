import { acceptedAt, goOnBehind, isTimeOf, orderOf } from '../jobRoot.ts';
import { nextCapacity, withRoom } from './columns.ts';
import type { RowOrder } from './orderedRows.ts';
import { type RootNumbers, readRoot, readRootText, rootText } from './rootBytes.ts';

const NONE = -1;
/** So many slots at least, by the bits of their number: the first four digits of a uuid, which name a job at least. */
const LEAST_BITS = 16;
/** The numbers of a row, behind the four of the uuid. */
const WORDS = 8;
const FRACTION = 4;
const HIGH = 5;
const LOW = 6;
const NEXT = 7;

/** The roots of jobs, a row each, in columns: finds the row of a root, and the rows whose uuid begins in a way. */
export class RootTable implements RowOrder {
  /**
   * Eight numbers a row: the uuid, the fraction, the stamp, and 1 more than the next row of the same slot, or the next free one.
   * They lie beside each other, since a look at one of a million rows waits for the memory, not for the processor.
   */
  #data = new Uint32Array(0);
  /** Not a number where there is no job. */
  #orders = new Float64Array(0);
  /** By the first bits of the uuid, so that slots beside each other hold what begins in the same way. */
  #slots = new Int32Array(1 << LEAST_BITS).fill(NONE);
  #bits = LEAST_BITS;
  #free = NONE;
  #count = 0;
  #end = 0;
  #ahead = 0;
  readonly #read: RootNumbers = { stamp: 0, fraction: 0, uuid: new Uint32Array(4) };

  /** How many roots there are. */
  get count(): number {
    return this.#count;
  }

  /** No order of a job is further ahead of the time when it was accepted, in microseconds: 0 unless a clock was set back. */
  get ahead(): number {
    return this.#ahead;
  }

  /** The row behind the last one; some before it may be free. */
  get end(): number {
    return this.#end;
  }

  reserve(count: number): void {
    this.#growTo(count);
    this.#spread(count);
  }

  /** The row of a root; -1 when there is none. */
  rowOf(root: string): number {
    return readRootText(root, this.#read) ? this.#find() : NONE;
  }

  /** The row of a root, which is added where it is new. @throws Error for a name that is no job root */
  rowFor(root: string): number {
    if (readRootText(root, this.#read)) return this.#rowFor();
    throw new Error(`${root} is no job root`);
  }

  /** The same for a root in some bytes; -1 when it is none. */
  rowForBytes(bytes: Uint8Array, from: number, to: number): number {
    return readRoot(bytes, from, to, this.#read) ? this.#rowFor() : NONE;
  }

  isTaken(row: number): boolean {
    return !Number.isNaN(this.#orders[row] ?? Number.NaN);
  }

  rootAt(row: number): string {
    const at = WORDS * row;
    const stamp = (this.#data[at + HIGH] ?? 0) * 2 ** 32 + (this.#data[at + LOW] ?? 0);
    return rootText(stamp, this.#data[at + FRACTION] ?? 0, this.#data, at);
  }

  /** The first 32 bits of the uuid. */
  uuidBitsAt(row: number): number {
    return this.#data[WORDS * row] ?? 0;
  }

  /** The place of a job among all jobs; not a number where there is no job. */
  orderAt(row: number): number {
    return this.#orders[row] ?? Number.NaN;
  }

  compare(a: number, b: number): number {
    const apart = (this.#orders[a] ?? 0) - (this.#orders[b] ?? 0);
    if (apart !== 0 || a === b) return apart;
    return this.rootAt(a) < this.rootAt(b) ? -1 : 1;
  }

  /** The row is free for another root. */
  remove(row: number): void {
    const slot = this.#slotOf(row);
    const next = this.#nextOf(row);
    let before = this.#slots[slot] ?? NONE;
    if (before === row) this.#slots[slot] = next;
    else {
      while (before !== NONE && this.#nextOf(before) !== row) before = this.#nextOf(before);
      if (before !== NONE) this.#setNext(before, next);
    }
    this.#orders[row] = Number.NaN;
    this.#setNext(row, this.#free);
    this.#free = row;
    this.#count -= 1;
  }

  /** The roots whose uuid begins so, with 4 characters or more. */
  beginningWith(beginning: string): readonly string[] {
    const digits = /^[0-9a-f]{4,8}/.exec(beginning)?.[0];
    if (digits === undefined) return [];
    const spread = 32 - 4 * digits.length;
    const lowest = Number.parseInt(digits, 16) * 2 ** spread;
    const highest = lowest + 2 ** spread - 1;
    const shift = 32 - this.#bits;
    const found: string[] = [];
    for (let slot = lowest >>> shift; slot <= highest >>> shift; slot += 1) {
      for (let row = this.#slots[slot] ?? NONE; row !== NONE; row = this.#nextOf(row)) {
        const word = this.#data[WORDS * row] ?? 0;
        if (word < lowest || word > highest) continue;
        const root = this.rootAt(row);
        if (root.startsWith(beginning, root.indexOf('_') + 1)) found.push(root);
      }
    }
    return found;
  }

  #rowFor(): number {
    const known = this.#find();
    if (known !== NONE) return known;
    if (this.#count >= this.#slots.length) this.#spread(this.#count * 2);
    const row = this.#newRow();
    const { stamp, fraction, uuid } = this.#read;
    const at = WORDS * row;
    for (let i = 0; i < 4; i += 1) this.#data[at + i] = uuid[i] ?? 0;
    this.#data[at + FRACTION] = fraction;
    this.#data[at + HIGH] = Math.floor(stamp / 2 ** 32);
    this.#data[at + LOW] = stamp;
    // A name of the original holds no order but its stamp.
    const order = orderIn(uuid);
    this.#orders[row] = order ?? orderOf(this.rootAt(row));
    goOnBehind(this.#orders[row] ?? 0, order !== undefined);
    // Of a million jobs hardly any has to be asked as a text.
    if (order !== undefined && !isTimeOf(order, stamp, fraction >>> 3)) {
      const ahead = order - acceptedAt(this.rootAt(row)) * 1000;
      this.#ahead = Math.max(this.#ahead, Math.ceil(ahead));
    }
    this.#link(row);
    this.#count += 1;
    return row;
  }

  #find(): number {
    const { stamp, fraction, uuid } = this.#read;
    const [first = 0, second, third, fourth] = uuid;
    const data = this.#data;
    let row = this.#slots[first >>> (32 - this.#bits)] ?? NONE;
    while (row !== NONE) {
      const at = WORDS * row;
      const isIt =
        data[at] === first &&
        data[at + 1] === second &&
        data[at + 2] === third &&
        data[at + 3] === fourth &&
        data[at + FRACTION] === fraction &&
        data[at + HIGH] === Math.floor(stamp / 2 ** 32) &&
        data[at + LOW] === stamp % 2 ** 32;
      if (isIt) return row;
      row = (data[at + NEXT] ?? 0) - 1;
    }
    return NONE;
  }

  #newRow(): number {
    const row = this.#free;
    if (row !== NONE) {
      this.#free = this.#nextOf(row);
      return row;
    }
    if (this.#end === this.#orders.length) this.#growTo(nextCapacity(this.#end));
    this.#end += 1;
    return this.#end - 1;
  }

  #link(row: number): void {
    const slot = this.#slotOf(row);
    this.#setNext(row, this.#slots[slot] ?? NONE);
    this.#slots[slot] = row;
  }

  #slotOf(row: number): number {
    return (this.#data[WORDS * row] ?? 0) >>> (32 - this.#bits);
  }

  #nextOf(row: number): number {
    return (this.#data[WORDS * row + NEXT] ?? 0) - 1;
  }

  #setNext(row: number, next: number): void {
    this.#data[WORDS * row + NEXT] = next + 1;
  }

  #growTo(count: number): void {
    this.#data = withRoom(this.#data, WORDS * Math.ceil(count));
    this.#orders = withRoom(this.#orders, count);
  }

  /** Has about a slot for each of so many roots. */
  #spread(count: number): void {
    let bits = this.#bits;
    while (2 ** bits < count && bits < 30) bits += 1;
    if (bits === this.#bits) return;
    this.#bits = bits;
    this.#slots = new Int32Array(2 ** bits).fill(NONE);
    for (let row = 0; row < this.#end; row += 1) if (this.isTaken(row)) this.#link(row);
  }
}

/** The order in a uuid of ours: see `orderOf`. */
function orderIn(uuid: Uint32Array): number | undefined {
  const [, second = 0, third = 0, fourth = 0] = uuid;
  const isOurs = (second & 0xf000) === 0x8000 && third >>> 30 === 2;
  return isOurs ? (third & 0xfffff) * 2 ** 32 + fourth : undefined;
}
