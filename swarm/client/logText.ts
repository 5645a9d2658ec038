import { z } from 'zod';
import { jsonOrUndefined } from '../../lib/wire/maybeJson.ts';

const HEAD_BYTES = 8;
/** So much of what is no output is read, in bytes: an engine's error is short. */
const MAX_ERROR_BYTES = 8192;

/**
 * The text in the answer of the engine's logs call, as it comes in. A container without a terminal sends frames of 8 bytes head
 * (stream, 0, 0, 0, length) and that much text: stdout and stderr, in the order of writing. With a terminal it is the text itself.
 * @throws the error that an engine writes in place of (the rest of) the frames, with a `statusCode`: Podman has said 200
 *   by then
 */
export async function* textOf(answer: AsyncIterable<Buffer>, tty: boolean): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let isError = false;
  for await (const chunk of answer) {
    if (tty) {
      yield chunk;
      continue;
    }
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    // A frame may be a line of a few bytes: one by one they would take long.
    const texts: Buffer[] = [];
    while (!isError && at + HEAD_BYTES <= rest.length) {
      isError = !isHead(rest, at);
      const end = at + HEAD_BYTES + rest.readUInt32BE(at + 4);
      if (isError || end > rest.length) break;
      texts.push(rest.subarray(at + HEAD_BYTES, end));
      at = end;
    }
    if (texts.length > 0) yield Buffer.concat(texts);
    rest = rest.subarray(at);
    if (isError && rest.length > MAX_ERROR_BYTES) break;
  }
  if (isError) throw errorIn(rest.toString('utf8', 0, MAX_ERROR_BYTES));
  // What was cut off within a frame.
  if (rest.length > HEAD_BYTES) yield rest.subarray(HEAD_BYTES);
}

/** Whether a frame begins here: the stream is stdin, stdout or stderr, or the engine's own (3). */
function isHead(bytes: Buffer, at: number): boolean {
  return bytes.readUInt8(at) <= 3 && bytes.readUIntBE(at + 1, 3) === 0;
}

/** An error as dockerode makes them of an answer with such a status. */
function errorIn(text: string): Error {
  const told = errorSchema.safeParse(jsonOrUndefined(text)).data;
  const message =
    told?.message ?? `what the engine sent is no output: ${JSON.stringify(text.slice(0, 200))}`;
  // Podman calls it an error of its own when the container has gone meanwhile.
  const statusCode = /no such container/.test(message) ? 404 : 500;
  return Object.assign(new Error(message), { statusCode });
}

const errorSchema = z.looseObject({ message: z.string() });

/** What the engine writes behind the output of a task when it cannot get (the rest of) it from its node. */
const GRABBING = /Error grabbing logs: (?:rpc error: code = \w+ desc = )?(.*)\n?$/;

/** The output of a task as the swarm's managers give it, with a note where it is known not to be whole. */
export function withoutLogError(text: string): string {
  return text.replace(
    GRABBING,
    (_, reason: string) => `[… what is missing here could not be fetched: ${reason} …]\n`,
  );
}
