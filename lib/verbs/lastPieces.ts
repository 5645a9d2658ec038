import type { Job, OutputPiece, PmanClient } from '../client/index.ts';

export interface LastOptions {
  readonly lines: number;
  readonly part?: number;
  /** Which pieces count. */
  readonly isWanted: (piece: OutputPiece) => boolean;
  readonly signal: AbortSignal;
}

/** What is read of the end of an output first: a line is seldom longer than this on average. */
const BYTES_A_LINE = 256;
const LEAST_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * The last lines of what a job has written until now, in order, as pieces. Of a long output only the end is read.
 * @returns `last`: the id of the last piece of all, behind which what is written next begins
 */
export async function lastPieces(
  client: PmanClient,
  job: Job,
  { lines, part, isWanted, signal }: LastOptions,
): Promise<{ readonly pieces: readonly OutputPiece[]; readonly last: string | undefined }> {
  const end = await endOf(client, job, part);
  for (let window = Math.max(LEAST_BYTES, lines * BYTES_A_LINE); ; window *= 8) {
    const isWhole =
      end === undefined || (end.stdout <= window && end.stderr <= window && end.part === 0);
    const from = (size: number) => Math.max(0, size - window);
    const after = isWhole ? undefined : `${end.part}.${from(end.stdout)}.${from(end.stderr)}`;
    const found = await read(client, job, { lines, part, isWanted, signal, after });
    if (isWhole || found.isFull) return found;
    // All of the last part is not enough: those before it as well.
    if (end.stdout <= window && end.stderr <= window) {
      return read(client, job, { lines, part, isWanted, signal, after: undefined });
    }
  }
}

/** How far both outputs of the last part have come. */
async function endOf(client: PmanClient, job: Job, asked: number | undefined) {
  const last = asked ?? job.parts.length - 1;
  if (last < 0 || job.backend === 'container') return undefined;
  const [stdout, stderr] = await Promise.all([
    client.outputSize(job, { part: last }),
    client.outputSize(job, { part: last, stream: 'stderr' }),
  ]);
  return { part: last, stdout, stderr };
}

interface Reading extends Omit<LastOptions, 'part'> {
  readonly part: number | undefined;
  readonly after: string | undefined;
}

async function read(client: PmanClient, job: Job, reading: Reading) {
  const { lines, part, isWanted, signal, after } = reading;
  const kept: { readonly piece: OutputPiece; readonly ends: number }[] = [];
  let last: string | undefined = after;
  let ends = 0;
  let hasLeftOut = false;
  const pieces = client.pieces(job, {
    ...(part === undefined ? {} : { part }),
    ...(after === undefined ? {} : { after }),
    signal,
  });
  for await (const piece of pieces) {
    last = piece.id;
    if (!isWanted(piece)) continue;
    const count = countEnds(piece.bytes);
    kept.push({ piece, ends: count });
    ends += count;
    // One more: the last line may have no end yet, and the first one may be cut.
    while (kept.length > 1 && ends - (kept[0]?.ends ?? 0) > lines + 1) {
      ends -= kept.shift()?.ends ?? 0;
      hasLeftOut = true;
    }
  }
  const cut = cutToLines(
    kept.map(({ piece }) => piece),
    lines,
  );
  return { pieces: cut.pieces, last, isFull: hasLeftOut || cut.isCut };
}

/** The last lines of these pieces; lines of both outputs count. */
function cutToLines(pieces: readonly OutputPiece[], lines: number) {
  if (lines === 0) return { pieces: [], isCut: true };
  let left = lines;
  let isLast = true;
  const shown: OutputPiece[] = [];
  for (const piece of pieces.toReversed()) {
    const { bytes, offset } = piece;
    let at = bytes.length;
    // The end of the last line begins no other one.
    if (isLast && bytes[at - 1] === NEWLINE) at -= 1;
    isLast = false;
    while (at > 0) {
      const end = bytes.lastIndexOf(NEWLINE, at - 1);
      if (end < 0) break;
      left -= 1;
      if (left <= 0) {
        const rest = { ...piece, bytes: bytes.subarray(end + 1), offset: offset + end + 1 };
        return {
          pieces: [...(rest.bytes.length > 0 ? [rest] : []), ...shown.toReversed()],
          isCut: true,
        };
      }
      at = end;
    }
    shown.push(piece);
  }
  return { pieces: shown.toReversed(), isCut: false };
}

function countEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
