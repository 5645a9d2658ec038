/** A block of a stream of Server-Sent Events (WHATWG HTML, 9.2). */
export interface ServerSentEvent {
  /** Where to go on after it; undefined when the block does not say. */
  readonly id: string | undefined;
  /** What kind of event it is; undefined when the block does not say. */
  readonly type: string | undefined;
  /** Undefined for a block that only says where the stream is. */
  readonly data: string | undefined;
}

/** Takes a stream of Server-Sent Events apart, as far as pman uses them. */
export async function* serverSentEvents(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    // What the end of the stream cuts is no block: it comes again, whole.
    rest = blocks.pop() ?? '';
    yield* blocks.map(blockOf);
  }
}

function blockOf(block: string): ServerSentEvent {
  let id: string | undefined;
  let type: string | undefined;
  let data: string | undefined;
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === 'id') id = value;
    if (name === 'event') type = value;
    if (name === 'data') data = data === undefined ? value : `${data}\n${value}`;
  }
  return { id, type, data };
}
