import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** A piece of an output: a file, an open file, or text that only the record has. */
export type OutputPiece =
  | { readonly file: string; readonly bytes: number }
  | { readonly handle: FileHandle; readonly bytes: number }
  | { readonly text: Buffer; readonly bytes: number };

/** Bytes of a file that came in together. */
export interface TimedPiece {
  readonly stream: 'stdout' | 'stderr';
  /** When they were seen, in milliseconds since 1970. */
  readonly seenAt: number;
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Where both outputs of a part are, for whoever reads them in the order in which they came in. */
export interface PartOutputs {
  readonly stdout: OutputPlace;
  readonly stderr: OutputPlace;
  /** The file that tells when they grew (crunner/detached/outputLog.ts); it may be missing. */
  readonly log?: string;
  readonly hasEnded: boolean;
}

/** A file that may be missing and may grow, or text that only the record has. */
export type OutputPlace = { readonly file: string } | { readonly text: Uint8Array };

export function sizeOf(pieces: readonly OutputPiece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The bytes `from` to before `to` of the pieces put together. */
export async function* bytesOf(
  pieces: readonly OutputPiece[],
  from: number,
  to: number,
): AsyncGenerator<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    const start = Math.max(from - at, 0);
    const end = Math.min(to - at, piece.bytes);
    at += piece.bytes;
    if (start >= end) continue;
    if ('text' in piece) yield piece.text.subarray(start, end);
    else if ('handle' in piece) yield* bytesIn(piece.handle, start, end);
    else yield* createReadStream(piece.file, { start, end: end - 1 }) as AsyncIterable<Buffer>;
  }
}

/** What comes behind so many bytes. */
export async function* behind(chunks: AsyncIterable<Buffer>, from: number): AsyncGenerator<Buffer> {
  let skip = from;
  for await (const chunk of chunks) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

const READ_BYTES = 64 * 1024;

/** The file stays open: Node's own stream would close it. */
async function* bytesIn(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, to - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
