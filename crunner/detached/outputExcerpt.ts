import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';

export interface OutputExcerpt {
  readonly text: string;
  /** Size of the whole output in bytes. */
  readonly bytes: number;
  /** Whether the middle was left out. */
  readonly cut: boolean;
}

/**
 * The output of a part as a record holds it: decoded as UTF-8 (a byte that is none becomes U+FFFD), and the line ends of
 * Windows made `\n`, as the original does. A `\r` by itself stays: a progress bar is one line. Of more than `limitBytes`, head and tail are kept
 * with a line between them that says how much is missing.
 */
export function readOutput(file: string, limitBytes: number): OutputExcerpt {
  // Most parts have no stderr, and an error that is thrown costs ten times as much as a look.
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    return { text: '', bytes: 0, cut: false };
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { text: '', bytes: 0, cut: false };
    throw error;
  }
  try {
    const whole = readUpTo(fd, 0, limitBytes + 1);
    if (whole.length <= limitBytes) {
      return { text: toLines(whole.toString('utf8')), bytes: whole.length, cut: false };
    }
    const bytes = fstatSync(fd).size;
    const half = Math.floor(limitBytes / 2);
    const head = whole.subarray(0, characterStart(whole, half));
    const end = readUpTo(fd, bytes - half, half);
    const tail = end.subarray(characterStart(end, 0, 1));
    const note = `\n[… ${bytes - head.length - tail.length} of ${bytes} bytes left out …]\n`;
    const text = toLines(head.toString('utf8') + note + tail.toString('utf8'));
    return { text, bytes, cut: true };
  } finally {
    closeSync(fd);
  }
}

/** The nearest place where no character of UTF-8 is cut, at or before (step 1: after) this one. */
function characterStart(bytes: Buffer, at: number, step: 1 | -1 = -1): number {
  for (let moved = 0; moved < 4; moved += 1) {
    const place = at + step * moved;
    // 10xxxxxx goes on with a character.
    if (((bytes[place] ?? 0) & 0xc0) !== 0x80) return place;
  }
  return at; // it is no UTF-8
}

function toLines(text: string): string {
  return text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
}

/** Most outputs are short: a buffer of this size for each would be garbage. */
const scratch = Buffer.allocUnsafe(65536);

function readUpTo(fd: number, from: number, length: number): Buffer {
  const chunks: Buffer[] = [];
  let at = from;
  let left = length;
  while (left > 0) {
    const read = readSync(fd, scratch, 0, Math.min(left, scratch.length), at);
    if (read === 0) break;
    chunks.push(Buffer.from(scratch.subarray(0, read)));
    at += read;
    left -= read;
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
