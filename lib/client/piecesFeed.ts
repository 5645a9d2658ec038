import type { Job } from '../dialects/v2/shapes.ts';
import { bytesOf } from './bytesOf.ts';
import type { JobName, OutputName } from './callOptions.ts';
import { type Connection, streamEnded } from './connection.ts';
import { jobPath } from './jobPath.ts';
import { hasEnded } from './outputFeed.ts';

/** A piece of what a job has written to one of its outputs, in the order in which both came in. */
export interface OutputPiece {
  /** Where to go on behind it. */
  readonly id: string;
  readonly part: number;
  readonly stream: OutputName;
  /** How many bytes of this output of the part were before it. */
  readonly offset: number;
  /** When it was seen, where that is known: RFC 3339. */
  readonly time?: string;
  readonly bytes: Uint8Array;
}

export interface PiecesPlace {
  readonly job: JobName;
  readonly part: number | undefined;
  /** Whether it goes on until the job ends. */
  readonly follow: boolean;
  /** The `id` of the last piece that is known. */
  readonly after: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Told when the connection is lost, and how long it takes until it is tried again. */
  readonly onLost: ((pauseMs: number) => void) | undefined;
}

const SILENCE_MS = 120_000;

/**
 * Both outputs of a job, each byte once, until it has ended. After a lost connection it goes on behind the last piece; that
 * it is whole is told by the job, and not by the end of a stream.
 */
export async function* outputPieces(
  connection: Connection,
  { job, part, follow, after, signal, onLost }: PiecesPlace,
): AsyncGenerator<OutputPiece> {
  const retries = connection.retries(signal, onLost);
  const path = `${jobPath(job)}/output`;
  let offset = after;
  for (;;) {
    let failure: unknown;
    try {
      const query = { part, offset, ...(follow ? { follow: 1 } : {}) };
      const answer = await connection.open({ path, query, signal });
      let isOver = false;
      for await (const line of linesOf(bytesOf(answer, { signal, silenceMs: SILENCE_MS }))) {
        retries.reset();
        const piece = pieceOf(connection.parsed(line));
        if (piece === undefined) {
          isOver = true;
          continue;
        }
        offset = piece.id;
        yield piece;
      }
      if (!follow || isOver) return;
      // It ends without a word when its server is stopped, and where there was nothing to say.
      if (
        hasEnded(
          await connection.json<Job>({ path: jobPath(job), has: ['state', 'string'], signal }),
        )
      ) {
        follow = false;
        continue;
      }
      retries.reset();
    } catch (error) {
      failure = error;
    }
    await retries.pause(failure ?? streamEnded());
  }
}

/** Undefined for the line that says that the job has ended. */
function pieceOf(line: unknown): OutputPiece | undefined {
  const { text, base64, ended, ...piece } = line as Omit<OutputPiece, 'bytes'> & {
    readonly text?: string;
    readonly base64?: string;
    readonly ended?: string;
  };
  if (ended !== undefined) return undefined;
  const bytes =
    base64 === undefined
      ? new TextEncoder().encode(text)
      : Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return { ...piece, bytes };
}

/** Whole lines; what the end of the stream cuts comes again. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
