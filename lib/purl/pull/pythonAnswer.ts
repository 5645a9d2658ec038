import { readSync } from 'node:fs';
import { parseJsonOrUndefined } from '../../transfer/jsonText.ts';

// The end record of a zip archive with the longest comment, and the report behind it.
const TAIL_BYTES = 80 * 1024;
const END_RECORD = Buffer.from('PK\x05\x06', 'latin1');
const END_BYTES = 22;

/**
 * Where the archive ends in a file that a Python pfioh of 1.6.2 sent: it writes a JSON report behind
 * the archive. 0 when there is no archive.
 */
export function endOfArchive(fd: number, bytes: number): number {
  const start = Math.max(0, bytes - TAIL_BYTES);
  const tail = Buffer.alloc(bytes - start);
  readSync(fd, tail, 0, tail.length, start);
  const at = tail.lastIndexOf(END_RECORD);
  if (at < 0 || at + END_BYTES > tail.length) return 0;
  return Math.min(bytes, start + at + END_BYTES + tail.readUInt16LE(at + 20));
}

const REPORT_BYTES = 16 * 1024;

/** File content without the JSON report that a Python pfioh of 1.6.2 writes behind it. */
export async function* withoutReport(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of content) {
    held = Buffer.concat([held, chunk]);
    if (held.length <= 2 * REPORT_BYTES) continue;
    yield held.subarray(0, held.length - REPORT_BYTES);
    held = Buffer.from(held.subarray(held.length - REPORT_BYTES));
  }
  yield held.subarray(0, reportStart(held));
}

function reportStart(tail: Buffer): number {
  for (
    let at = tail.lastIndexOf('{"');
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf('{"', at - 1)
  ) {
    const value = parseJsonOrUndefined(tail.toString('utf8', at));
    if (typeof value === 'object' && value !== null && 'transmit' in value) return at;
  }
  return tail.length;
}
