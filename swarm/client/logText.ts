const HEAD_BYTES = 8;

/**
 * The text in the answer of the engine's logs call, as it comes in. A container without a terminal sends frames of 8 bytes head
 * (stream, 0, 0, 0, length) and that much text: stdout and stderr, in the order of writing. With a terminal it is the text itself.
 */
export async function* textOf(answer: AsyncIterable<Buffer>, tty: boolean): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of answer) {
    if (tty) {
      yield chunk;
      continue;
    }
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    // A frame may be a line of a few bytes: one by one they would take long.
    const texts: Buffer[] = [];
    while (at + HEAD_BYTES <= rest.length) {
      const end = at + HEAD_BYTES + rest.readUInt32BE(at + 4);
      if (end > rest.length) break;
      texts.push(rest.subarray(at + HEAD_BYTES, end));
      at = end;
    }
    if (texts.length > 0) yield Buffer.concat(texts);
    rest = rest.subarray(at);
  }
  // What was cut off within a frame.
  if (rest.length > HEAD_BYTES) yield rest.subarray(HEAD_BYTES);
}

/** What the engine writes behind the output of a task when it cannot get (the rest of) it from its node. */
const GRABBING = /Error grabbing logs: (?:rpc error: code = \w+ desc = )?(.*)\n?$/;

/** The output of a task as the swarm's managers give it, with a note where it is known not to be whole. */
export function withoutLogError(text: string): string {
  return text.replace(
    GRABBING,
    (_, reason: string) => `[… what is missing here could not be fetched: ${reason} …]\n`,
  );
}
