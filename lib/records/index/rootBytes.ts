/** A job root in numbers: `<YYYYMMDDhhmmss>.<ffffff>_<uuid>` takes 28 bytes so, and 80 as a text. */
export interface RootNumbers {
  /** The 14 digits of the date and the time. */
  stamp: number;
  /** The digits of the fraction of the second as a number, 8 times, and how many digits they are. */
  fraction: number;
  /** The 128 bits of the uuid. */
  readonly uuid: Uint32Array;
}

const DIGITS = 14;
const POINT = 0x2e;
const LINE = 0x5f;
const DASH = 0x2d;
/** How many of its digits are before each `-` of a uuid. */
const DASHES: ReadonlySet<number> = new Set([8, 12, 16, 20]);
const UUID_CHARACTERS = 36;
const LONGEST = DIGITS + 1 + 6 + 1 + UUID_CHARACTERS;

const NO_DIGIT = 255;
const VALUES = new Uint8Array(256).fill(NO_DIGIT);
const CHARACTERS = new Uint8Array(16);
for (let value = 0; value < 16; value += 1) {
  const character = value.toString(16).charCodeAt(0);
  VALUES[character] = value;
  CHARACTERS[value] = character;
}

/** The digits of a uuid in their order: where each of the 36 characters comes from; -1 for a `-`. */
const PLACES = new Int8Array(UUID_CHARACTERS);
for (let at = 0, digit = 0; at < UUID_CHARACTERS; at += 1) {
  const isDash = DASHES.has(digit) && PLACES[at - 1] !== -1;
  PLACES[at] = isDash ? -1 : digit;
  if (!isDash) digit += 1;
}

/**
 * Reads the job root that stands in some bytes; false where there is none, or more than it. As `isJobRoot`, and five times
 * as fast.
 */
export function readRoot(bytes: Uint8Array, from: number, to: number, into: RootNumbers): boolean {
  const line = to - UUID_CHARACTERS - 1;
  const digits = line - from - DIGITS - 1;
  if (digits < 1 || digits > 6 || bytes[line] !== LINE || bytes[from + DIGITS] !== POINT)
    return false;
  const stamp = decimal(bytes, from, from + DIGITS);
  const fraction = decimal(bytes, from + DIGITS + 1, line);
  if (stamp < 0 || fraction < 0) return false;
  into.stamp = stamp;
  into.fraction = fraction * 8 + digits;
  let word = 0;
  for (let at = 0; at < UUID_CHARACTERS; at += 1) {
    const character = bytes[line + 1 + at] ?? 0;
    const place = PLACES[at] ?? 0;
    if (place < 0) {
      if (character !== DASH) return false;
      continue;
    }
    const value = VALUES[character] ?? NO_DIGIT;
    if (value === NO_DIGIT) return false;
    word = (word << 4) | value;
    if (place % 8 === 7) into.uuid[place >> 3] = word;
  }
  return true;
}

function decimal(bytes: Uint8Array, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) {
    const value = VALUES[bytes[at] ?? 0] ?? NO_DIGIT;
    if (value > 9) return -1;
    number = number * 10 + value;
  }
  return number;
}

const scratch = Buffer.alloc(LONGEST);

/** The same for a text. */
export function readRootText(text: string, into: RootNumbers): boolean {
  if (text.length > LONGEST) return false;
  const length = scratch.write(text, 'utf8');
  // Another length: there are characters beyond ASCII.
  return length === text.length && readRoot(scratch, 0, length, into);
}

/** The job root as a text. @param first where its uuid begins in `uuid` */
export function rootText(
  stamp: number,
  fraction: number,
  uuid: Uint32Array,
  first: number,
): string {
  const digits = fraction & 7;
  writeDecimal(stamp, 0, DIGITS);
  scratch[DIGITS] = POINT;
  writeDecimal(fraction >> 3, DIGITS + 1, DIGITS + 1 + digits);
  const line = DIGITS + 1 + digits;
  scratch[line] = LINE;
  for (let at = 0; at < UUID_CHARACTERS; at += 1) {
    const place = PLACES[at] ?? 0;
    const value = ((uuid[first + (place >> 3)] ?? 0) >>> (28 - 4 * (place & 7))) & 15;
    scratch[line + 1 + at] = place < 0 ? DASH : (CHARACTERS[value] ?? 0);
  }
  return scratch.toString('latin1', 0, line + 1 + UUID_CHARACTERS);
}

function writeDecimal(number: number, from: number, to: number): void {
  let left = number;
  for (let at = to - 1; at >= from; at -= 1) {
    const rest = Math.floor(left / 10);
    scratch[at] = 0x30 + (left - rest * 10);
    left = rest;
  }
}
