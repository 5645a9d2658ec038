import { PIECE_BYTES } from './rawRouter.ts';

const JOIN_BYTES = 16 * 1024;

/** What is to be written, as a stream gets it. */
export interface Queued {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/**
 * The same bytes in messages worth sending: small chunks joined (head and body of one answer), large
 * ones cut without a copy. Never an empty one: that would close the connection.
 */
export function pieces(queued: readonly Queued[]): Buffer[] {
  const out: Buffer[] = [];
  let small: Queued[] = [];
  let smallBytes = 0;
  const flush = (): void => {
    if (smallBytes > 0) out.push(join(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const item of queued) {
    const length = byteLength(item);
    if (length === 0) continue;
    if (smallBytes + length > JOIN_BYTES) flush();
    if (length <= JOIN_BYTES) {
      small.push(item);
      smallBytes += length;
      continue;
    }
    const bytes = toBuffer(item);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      out.push(bytes.subarray(at, at + PIECE_BYTES));
    }
  }
  flush();
  return out;
}

function byteLength({ chunk, encoding }: Queued): number {
  if (typeof chunk !== 'string') return chunk.length;
  return encoding === 'latin1' ? chunk.length : Buffer.byteLength(chunk, encoding);
}

function toBuffer({ chunk, encoding }: Queued): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

function join(items: readonly Queued[], total: number): Buffer {
  const [only] = items;
  if (items.length === 1 && only !== undefined) return toBuffer(only);
  const joined = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { chunk, encoding } of items) {
    if (typeof chunk === 'string') at += joined.write(chunk, at, encoding);
    else {
      joined.set(chunk, at);
      at += chunk.length;
    }
  }
  return joined;
}
