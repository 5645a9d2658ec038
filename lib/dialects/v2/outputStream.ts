import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadRequestError } from '../../errors.ts';
import { bytesOf, type TimedPiece } from '../../jobs/outputPieces.ts';
import type { JobState } from '../../jobs/states.ts';
import { acceptedIn } from '../../wire/accepted.ts';
import { cutCharacter } from '../../wire/cutCharacter.ts';
import type { ApiReply } from './apiRoute.ts';

/** What a job has written, or that it has ended, as a stream tells it. */
export type OutputLine =
  | {
      /** Where to go on behind this. */
      readonly id: string;
      readonly part: number | undefined;
      readonly stream: 'stdout' | 'stderr';
      /** Where the bytes begin in that output. */
      readonly offset: number;
      /** When they were seen, where that is known. */
      readonly time?: string;
      readonly bytes: Buffer;
    }
  | { readonly ended: JobState };

export type LineForm = 'sse' | 'ndjson';

const SSE = 'text/event-stream';
const NDJSON = 'application/x-ndjson';

/** The form that a client asks for, unless it would rather have another one; undefined: bytes, or one answer, as they are. */
export function formIn(accept?: string): LineForm | undefined {
  if (accept === undefined) return undefined;
  const accepted = acceptedIn(accept);
  const [sse = 0, ndjson = 0] = [accepted.get(SSE), accepted.get(NDJSON)];
  const most = Math.max(sse, ndjson);
  // A star takes anything: it says nothing of a form.
  const isOther = [...accepted].some(([name, wish]) => wish > most && !name.includes('*'));
  if (most === 0 || isOther) return undefined;
  return sse >= ndjson ? 'sse' : 'ndjson';
}

/** Lines of an output in one of two forms. Bytes that are no UTF-8 are told in base64. */
export function outputStream(lines: AsyncIterable<OutputLine>, form: LineForm): ApiReply {
  async function* chunks(): AsyncGenerator<string> {
    // The head goes out at once.
    if (form === 'sse') yield ': output\n\n';
    for await (const line of lines) yield form === 'sse' ? asEvent(line) : asLine(line);
  }
  const type = form === 'sse' ? SSE : NDJSON;
  return {
    status: 200,
    headers: [['Content-Type', type]],
    stream: Readable.from(chunks(), { objectMode: false, highWaterMark: 64 * 1024 }),
  };
}

function asLine(line: OutputLine): string {
  return `${JSON.stringify(told(line))}\n`;
}

function asEvent(line: OutputLine): string {
  const head = 'ended' in line ? 'event: end' : `id: ${line.id}\nevent: ${line.stream}`;
  return `${head}\ndata: ${JSON.stringify(told(line))}\n\n`;
}

function told(line: OutputLine): object {
  if ('ended' in line) return { ended: line.ended };
  const { bytes, ...rest } = line;
  const content = isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') };
  return { ...rest, ...content };
}

/** One output from a place on, as lines; characters are not cut. */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  stream: 'stdout' | 'stderr',
  part: number | undefined,
  from: number,
): AsyncGenerator<OutputLine> {
  let offset = from;
  let rest: Buffer = Buffer.alloc(0);
  const line = (bytes: Buffer): OutputLine => {
    const at = offset;
    offset += bytes.length;
    return { id: String(offset), part, stream, offset: at, bytes };
  };
  for await (const chunk of chunks) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = all.length - cutCharacter(all);
    rest = all.subarray(whole);
    if (whole > 0) yield line(all.subarray(0, whole));
  }
  if (rest.length > 0) yield line(rest);
}

/** How far both outputs of a part have been sent. */
export interface Place {
  readonly part: number;
  readonly stdout: number;
  readonly stderr: number;
}

/**
 * The place that an `id` of both outputs names.
 * @throws BadRequestError for another text
 */
export function placeIn(id: string | undefined): Place {
  if (id === undefined || id === '') return { part: 0, stdout: 0, stderr: 0 };
  const [, part, stdout, stderr] = /^(\d{1,6})\.(\d{1,15})\.(\d{1,15})$/.exec(id) ?? [];
  if (part === undefined) {
    throw new BadRequestError(
      `the offset ${JSON.stringify(id.slice(0, 60))} is none of this path`,
      {
        hint: 'take the "id" of the last line that you have',
      },
    );
  }
  return { part: Number(part), stdout: Number(stdout), stderr: Number(stderr) };
}

/** A job whose two outputs are apart, as it is now. */
export interface TimedJob {
  /** How many of its parts have started. */
  readonly parts: () => number;
  readonly isActive: () => boolean;
  readonly timed: (part: number) => readonly TimedPiece[];
}

/** How often an output is looked at for more, in milliseconds. */
const FOLLOW_POLL_MS = 150;
const MAX_CHUNK_BYTES = 64 * 1024;

/**
 * Both outputs in the order in which they came in, from a place on. What has come in since the last look, and is not written
 * down yet, is told stdout first.
 */
export async function* timedLines(
  job: TimedJob,
  { from, part: wanted, follow }: { from: Place; part: number | undefined; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<OutputLine> {
  const sent = new Map<number, { stdout: number; stderr: number }>();
  sent.set(from.part, { stdout: from.stdout, stderr: from.stderr });
  /** How far each output had come at the look before without its order being known. */
  const unordered = new Map<string, number>();
  for (;;) {
    // Asked before the look at the files: what is written before the end is seen.
    const isLast = !follow || !job.isActive();
    const count = job.parts();
    const first = isLast ? from.part : Math.max(from.part, count - 2);
    for (let part = first; part < count; part += 1) {
      if (wanted !== undefined && part !== wanted) continue;
      const at = sent.get(part) ?? { stdout: 0, stderr: 0 };
      sent.set(part, at);
      const lookedAt = Date.now();
      for (const piece of job.timed(part)) {
        if (signal.aborted) return;
        const key = `${part} ${piece.stream}`;
        // Its order may be written down any moment.
        const isOrdered = isLast || piece.seenAt < lookedAt;
        const to = isOrdered ? piece.to : Math.min(piece.to, unordered.get(key) ?? 0);
        if (!isOrdered) unordered.set(key, piece.to);
        yield* piecesOf({ ...piece, to }, part, at);
      }
    }
    if (isLast || signal.aborted) return;
    await sleep(FOLLOW_POLL_MS, undefined, { ref: false });
  }
}

async function* piecesOf(
  { stream, seenAt, file, from, to }: TimedPiece,
  part: number,
  at: { stdout: number; stderr: number },
): AsyncGenerator<OutputLine> {
  let begin = Math.max(from, at[stream]);
  while (begin < to) {
    const end = Math.min(to, begin + MAX_CHUNK_BYTES);
    const chunks: Buffer[] = [];
    for await (const chunk of bytesOf([{ file, bytes: end }], begin, end)) chunks.push(chunk);
    const read = Buffer.concat(chunks);
    // Cut by nobody but us: the rest of the character comes with the next look.
    const bytes = end < to ? read.subarray(0, read.length - cutCharacter(read)) : read;
    if (bytes.length === 0) return;
    const offset = begin;
    begin += bytes.length;
    at[stream] = begin;
    const time = new Date(seenAt).toISOString();
    yield { id: `${part}.${at.stdout}.${at.stderr}`, part, stream, offset, time, bytes };
  }
}
