/** One HTTP answer as it came over the wire. */
export interface Answer {
  readonly statusLine: string;
  readonly status: number;
  /** In the order received, names as received. */
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; throws with the beginning of the text when it is not. */
  readonly json: () => unknown;
  /** The first header of that name, whatever its case. */
  readonly header: (name: string) => string | undefined;
}

interface Body {
  readonly bytes: Buffer;
  /** Length of head and body on the wire. */
  readonly length: number;
}

const HEAD_END = '\r\n\r\n';

/** Cuts a byte stream into HTTP answers. Node's own client hides what these tests look at. */
export class AnswerReader {
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;

  push(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  /** The peer sends no more: an answer without a length ends here. */
  end(): void {
    this.#ended = true;
  }

  get unread(): Buffer {
    return this.#bytes;
  }

  /** The next whole answer, or null as long as there is none. `toHead`: it has no body. */
  take(toHead = false): Answer | null {
    const headEnd = this.#bytes.indexOf(HEAD_END);
    if (headEnd < 0 || this.#bytes.subarray(0, 5).toString('latin1') !== 'HTTP/') return null;
    const [statusLine = '', ...lines] = this.#bytes
      .subarray(0, headEnd)
      .toString('latin1')
      .split('\r\n');
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const header = (name: string) =>
      headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
    const status = Number(statusLine.split(' ')[1]);
    const start = headEnd + HEAD_END.length;
    const bare = toHead || status < 200 || status === 204 || status === 304;
    const body = bare ? { bytes: Buffer.alloc(0), length: start } : this.#body(start, header);
    if (!body) return null;
    this.#bytes = this.#bytes.subarray(body.length);
    const text = body.bytes.toString('utf8');
    return {
      statusLine,
      status,
      headers,
      bytes: body.bytes,
      text,
      header,
      json: () => parse(text),
    };
  }

  #body(start: number, header: (name: string) => string | undefined): Body | null {
    if (header('transfer-encoding')?.toLowerCase() === 'chunked') return this.#chunked(start);
    const declared = header('content-length');
    if (declared === undefined) {
      if (!this.#ended) return null;
      return { bytes: this.#bytes.subarray(start), length: this.#bytes.length };
    }
    const end = start + Number(declared);
    if (this.#bytes.length < end) return null;
    return { bytes: this.#bytes.subarray(start, end), length: end };
  }

  #chunked(start: number): Body | null {
    const parts: Buffer[] = [];
    let at = start;
    for (;;) {
      const lineEnd = this.#bytes.indexOf('\r\n', at);
      if (lineEnd < 0) return null;
      const size = Number.parseInt(this.#bytes.subarray(at, lineEnd).toString('latin1'), 16);
      const next = lineEnd + 2 + size + 2;
      if (!(size >= 0)) throw new Error('the answer has a malformed chunk size');
      if (this.#bytes.length < next) return null;
      if (size === 0) return { bytes: Buffer.concat(parts), length: next };
      parts.push(this.#bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
      at = next;
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`the body is not JSON: ${JSON.stringify(text.slice(0, 120))}`, { cause });
  }
}
