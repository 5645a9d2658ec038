import type { Job } from '../dialects/v2/shapes.ts';
import { bytesOf } from './bytesOf.ts';
import type { JobName, OutputName } from './callOptions.ts';
import { PmanClientError } from './clientError.ts';
import { type Connection, type OpenAnswer, streamEnded } from './connection.ts';
import { jobPath, outputPath } from './jobPath.ts';

/** A piece of what a job has written. */
export interface OutputChunk {
  readonly stream: OutputName;
  /** How many bytes of this output were before it. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** The same as text; a character that a piece cuts is in the next one. */
  readonly text: string;
}

export interface FollowPlace {
  readonly job: JobName;
  readonly stream: OutputName;
  /** One part of the job; undefined: all of it. */
  readonly part: number | undefined;
  /** How many bytes are known already. */
  readonly offset: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws PmanClientError bad_request for what is no number of bytes, or one of an output that is not named */
export function requireOffset(from: number, stream: OutputName | undefined): void {
  if (Number.isSafeInteger(from) && from >= 0 && (stream !== undefined || from === 0)) return;
  const why = stream === undefined ? 'needs a "stream"' : 'is no number of bytes';
  throw new PmanClientError('bad_request', `"from" ${why}: ${from}`);
}

/** A job may well be silent for longer: then it is only asked anew. */
const SILENCE_MS = 120_000;

const OVER: ReadonlySet<string> = new Set(['succeeded', 'failed', 'killed', 'lost']);

/** Whether a job has ended. */
export function hasEnded({ state }: Pick<Job, 'state'>): boolean {
  return OVER.has(state);
}

/**
 * What a job writes to one of its outputs, each byte once, until it has ended. After a lost connection it goes on behind
 * the last byte that came.
 */
export async function* followOutput(
  connection: Connection,
  place: FollowPlace,
): AsyncGenerator<OutputChunk> {
  const { stream, signal } = place;
  const retries = connection.retries(signal);
  const decoder = new TextDecoder();
  let { offset } = place;
  for (;;) {
    let failure: unknown;
    try {
      for await (const bytes of outputBehind(connection, { ...place, offset })) {
        retries.reset();
        const chunk = { stream, offset, bytes, text: decoder.decode(bytes, { stream: true }) };
        offset += bytes.length;
        yield chunk;
      }
      if (await isWhole(connection, { ...place, offset })) return;
      // The server is there, and the job goes on.
      retries.reset();
    } catch (error) {
      failure = error;
    }
    await retries.pause(failure ?? streamEnded());
  }
}

/** The output behind an offset, as long as one connection holds. */
async function* outputBehind(
  connection: Connection,
  { job, stream, part, offset, signal }: FollowPlace,
): AsyncGenerator<Uint8Array> {
  const answer = await connection.open({
    ...{ path: outputPath(job, stream), query: { follow: 1, part, offset }, signal },
  });
  yield* bytesOf(answer, { signal, silenceMs: SILENCE_MS });
}

/** A stream ends with the job, and also when its server is stopped: then there is more to come. */
async function isWhole(
  connection: Connection,
  { job, stream, part, offset, signal }: FollowPlace,
): Promise<boolean> {
  if (
    !hasEnded(await connection.json<Job>({ path: jobPath(job), has: ['state', 'string'], signal }))
  )
    return false;
  const { response, close } = await askFrom(connection, { job, stream, part, offset, signal });
  close();
  return response.status === 416;
}

function askFrom(
  connection: Connection,
  { job, stream, part, offset, signal }: FollowPlace,
): Promise<OpenAnswer> {
  return connection.open({
    ...{ path: outputPath(job, stream), query: { part }, signal },
    headers: { Range: `bytes=${offset}-` },
    takes: [416],
  });
}
