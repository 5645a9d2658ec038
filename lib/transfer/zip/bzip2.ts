/** Reads bits, the highest of a byte first. */
class BitReader {
  readonly #source: Iterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #bits = 0;
  #held = 0;

  constructor(source: Iterable<Buffer>) {
    this.#source = source[Symbol.iterator]();
  }

  /** Whether there is another byte; bits of the last one that were not read are thrown away. */
  nextByte(): boolean {
    this.#held -= this.#held % 8;
    return this.#held > 0 || this.#fill();
  }

  #fill(): boolean {
    while (this.#at >= this.#chunk.length) {
      const next = this.#source.next();
      if (next.done === true) return false;
      this.#chunk = next.value;
      this.#at = 0;
    }
    return true;
  }

  /** Up to 24 bits as a number. */
  read(count: number): number {
    while (this.#held < count) {
      if (!this.#fill()) throw new Error('it breaks off');
      this.#bits = ((this.#bits << 8) | (this.#chunk[this.#at] ?? 0)) & 0x7fffffff;
      this.#at += 1;
      this.#held += 8;
    }
    this.#held -= count;
    return (this.#bits >>> this.#held) & ((1 << count) - 1);
  }
}

/** A code for symbols: short for those that are frequent. Codes of one length follow each other. */
class PrefixCode {
  readonly #limits: number[] = [];
  readonly #offsets: number[] = [];
  readonly #symbols: number[] = [];
  readonly #shortest: number;

  constructor(lengths: readonly number[]) {
    const longest = Math.max(...lengths);
    this.#shortest = Math.min(...lengths);
    let code = 0;
    for (let length = this.#shortest; length <= longest; length += 1) {
      const first = code;
      const before = this.#symbols.length;
      for (const [symbol, own] of lengths.entries()) if (own === length) this.#symbols.push(symbol);
      code += this.#symbols.length - before;
      this.#limits[length] = code;
      this.#offsets[length] = before - first;
      code <<= 1;
    }
  }

  symbol(bits: BitReader): number {
    let length = this.#shortest;
    let code = bits.read(length);
    for (;;) {
      const limit = this.#limits[length];
      if (limit === undefined) throw new Error('it has a code that means nothing');
      if (code < limit) return this.#symbols[code + (this.#offsets[length] ?? 0)] ?? 0;
      code = (code << 1) | bits.read(1);
      length += 1;
    }
  }
}

const GROUP = 50;
const NOTHING = Buffer.alloc(0);
const TURN_EVERY = 400 * GROUP;
const PIECE_BYTES = 64 * 1024;
const STREAM = 0x425a68;
const [BLOCK_1, BLOCK_2] = [0x314159, 0x265359];
const [END_1, END_2] = [0x177245, 0x385090];

/**
 * Unpacks bzip2 (Julian Seward's format, as of 1.0). Blocks are not compared with their checksums: an archive has one
 * of the whole. A block takes a while: in between there are empty pieces, so that others may get their turn.
 * @throws Error when it is no bzip2 or breaks off
 */
export function* bunzip2(source: Iterable<Buffer>): Generator<Buffer> {
  const bits = new BitReader(source);
  do {
    if (bits.read(24) !== STREAM) throw new Error('it is no bzip2');
    const level = bits.read(8) - 0x30;
    if (level < 1 || level > 9) throw new Error('it is no bzip2');
    for (;;) {
      const kind = [bits.read(24), bits.read(24)];
      // The checksum of the block, or of all of them.
      bits.read(16);
      bits.read(16);
      if (kind[0] === END_1 && kind[1] === END_2) break;
      if (kind[0] !== BLOCK_1 || kind[1] !== BLOCK_2) throw new Error('a block of it is broken');
      yield* unrepeated(yield* blockOf(bits, level * 100_000));
    }
  } while (bits.nextByte());
}

function* blockOf(bits: BitReader, most: number): Generator<Buffer, Uint8Array> {
  if (bits.read(1) === 1) throw new Error('it is of a version before 0.9.5');
  const start = bits.read(24);
  const used = usedBytes(bits);
  const codes = bits.read(3);
  const count = bits.read(15);
  if (used.length === 0 || codes < 2 || codes > 6 || count === 0)
    throw new Error('a block of it is broken');
  const selectors = readSelectors(bits, codes, count);
  const tables = Array.from({ length: codes }, () => readCode(bits, used.length + 2));
  const sorted = yield* readSorted(bits, { used, selectors, tables, most });
  yield NOTHING;
  return unsorted(sorted, start);
}

/** Which bytes occur in a block. */
function usedBytes(bits: BitReader): number[] {
  const rows = bits.read(16);
  const used: number[] = [];
  for (let row = 0; row < 16; row += 1) {
    if (((rows >>> (15 - row)) & 1) === 0) continue;
    const columns = bits.read(16);
    for (let column = 0; column < 16; column += 1) {
      if (((columns >>> (15 - column)) & 1) === 1) used.push(16 * row + column);
    }
  }
  return used;
}

/** Which code is used for each group of symbols. */
function readSelectors(bits: BitReader, codes: number, count: number): number[] {
  const recent = Array.from({ length: codes }, (_, i) => i);
  return Array.from({ length: count }, () => {
    let at = 0;
    while (bits.read(1) === 1) at += 1;
    if (at >= codes) throw new Error('a block of it is broken');
    const [code = 0] = recent.splice(at, 1);
    recent.unshift(code);
    return code;
  });
}

function readCode(bits: BitReader, symbols: number): PrefixCode {
  let length = bits.read(5);
  const lengths = Array.from({ length: symbols }, () => {
    while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1;
    if (length < 1 || length > 20) throw new Error('a block of it is broken');
    return length;
  });
  return new PrefixCode(lengths);
}

interface Coded {
  readonly used: readonly number[];
  readonly selectors: readonly number[];
  readonly tables: readonly PrefixCode[];
  readonly most: number;
}

/** The bytes of a block, sorted as Burrows and Wheeler do: runs and recent bytes are symbols of the code. */
function* readSorted(
  bits: BitReader,
  { used, selectors, tables, most }: Coded,
): Generator<Buffer, Uint8Array> {
  const recent = Uint8Array.from(used);
  const endSymbol = used.length + 1;
  const out = new Uint8Array(most);
  let bytes = 0;
  let run = 0;
  let weight = 1;
  let table: PrefixCode | undefined;
  for (let read = 0; ; read += 1) {
    if (read % GROUP === 0) {
      table = tables[selectors[read / GROUP] ?? -1];
      if (read % TURN_EVERY === TURN_EVERY - GROUP) yield NOTHING;
    }
    if (table === undefined) throw new Error('a block of it is broken');
    const symbol = table.symbol(bits);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > most) throw new Error('a block of it is too long');
      continue;
    }
    if (bytes + run + 1 > most && !(symbol === endSymbol && bytes + run <= most))
      throw new Error('a block of it is too long');
    out.fill(recent[0] ?? 0, bytes, bytes + run);
    bytes += run;
    run = 0;
    weight = 1;
    if (symbol === endSymbol) return out.subarray(0, bytes);
    const byte = recent[symbol - 1] ?? 0;
    recent.copyWithin(1, 0, symbol - 1);
    recent[0] = byte;
    out[bytes] = byte;
    bytes += 1;
  }
}

/** Burrows and Wheeler's transform, undone. */
function unsorted(sorted: Uint8Array, start: number): Uint8Array {
  if (start >= sorted.length) throw new Error('a block of it is broken');
  const places = new Uint32Array(257);
  for (const byte of sorted) places[byte + 1] = (places[byte + 1] ?? 0) + 1;
  for (let byte = 1; byte < 257; byte += 1)
    places[byte] = (places[byte] ?? 0) + (places[byte - 1] ?? 0);
  const next = new Uint32Array(sorted.length);
  for (let i = 0; i < sorted.length; i += 1) {
    const byte = sorted[i] ?? 0;
    const place = places[byte] ?? 0;
    next[place] = i;
    places[byte] = place + 1;
  }
  const out = new Uint8Array(sorted.length);
  let at = next[start] ?? 0;
  for (let i = 0; i < out.length; i += 1) {
    out[i] = sorted[at] ?? 0;
    at = next[at] ?? 0;
  }
  return out;
}

/** Four equal bytes are followed by how many more there are. */
function* unrepeated(bytes: Uint8Array): Generator<Buffer> {
  let piece = Buffer.alloc(PIECE_BYTES);
  let length = 0;
  let same = 0;
  let last = -1;
  for (const byte of bytes) {
    const more = same === 4 ? byte : 1;
    if (length + more > PIECE_BYTES) {
      yield piece.subarray(0, length);
      piece = Buffer.alloc(PIECE_BYTES);
      length = 0;
    }
    if (same === 4) {
      piece.fill(last, length, length + more);
      same = 0;
      last = -1;
    } else {
      piece[length] = byte;
      same = byte === last ? same + 1 : 1;
      last = byte;
    }
    length += more;
  }
  if (length > 0) yield piece.subarray(0, length);
}
