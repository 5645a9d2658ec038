/** What a node writes before each line of an output when it is asked for times: RFC 3339, and a blank. */
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) /;
/** No stamp is longer. */
const STAMP_BYTES = 40;
/** How a node's own words begin, where it does not stamp the lines. */
const NODE_WORDS = /^(unable to |failed to |rpc error: |container status )/;
/** No words of a node are longer; more of them is not kept. */
const WORDS_BYTES = 2000;
const NEWLINE = 0x0a;
const BLANK = 0x20;

/**
 * Takes the times off an output that was asked for with them. A node that cannot read an output any further says so in the
 * output itself, with status 200 (kubelet, GetKubeletContainerLogs): no stamp stands before its words, so they are told from
 * what the container has written. From a node that stamps nothing everything is taken as it is.
 */
export class StampedLog {
  #state: 'first' | 'stamp' | 'line' | 'plain' | 'words' = 'first';
  /** The beginning of a line, as long as it is not known what it is. */
  #held: Buffer = Buffer.alloc(0);

  /** What the container has written of this piece of the stream. */
  take(piece: Buffer): Buffer {
    const parts: Buffer[] = [];
    let rest = piece;
    while (rest.length > 0) rest = this.#step(rest, parts);
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  /**
   * The stream is over.
   * @returns the last of what the container has written, and what the node has said in place of more
   */
  end(): { readonly rest: Buffer; readonly words: string | undefined } {
    const held = this.#held;
    const text = held.toString('utf8');
    const none = { rest: Buffer.alloc(0), words: undefined };
    if (this.#state === 'words') return { ...none, words: text.trim() };
    if (this.#state === 'stamp' && held.length > 0) return { ...none, words: text.trim() };
    if (this.#state !== 'first') return none;
    return NODE_WORDS.test(text) ? { ...none, words: text.trim() } : { ...none, rest: held };
  }

  /** Reads the beginning; gives what is left of it. */
  #step(bytes: Buffer, parts: Buffer[]): Buffer {
    switch (this.#state) {
      case 'plain':
        parts.push(bytes);
        return NOTHING;
      case 'line': {
        const end = bytes.indexOf(NEWLINE) + 1;
        if (end > 0) this.#state = 'stamp';
        parts.push(end > 0 ? bytes.subarray(0, end) : bytes);
        return end > 0 ? bytes.subarray(end) : NOTHING;
      }
      case 'words': {
        this.#held = Buffer.concat([this.#held, bytes]).subarray(0, WORDS_BYTES);
        return NOTHING;
      }
      case 'first':
      case 'stamp':
        return this.#beginning(bytes);
    }
  }

  #beginning(bytes: Buffer): Buffer {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = NOTHING;
    const head = all.subarray(0, STAMP_BYTES);
    const blank = head.indexOf(BLANK);
    if (blank > 0 && STAMP.test(head.toString('latin1'))) {
      this.#state = 'line';
      return all.subarray(blank + 1);
    }
    const isWhole = blank >= 0 || head.length === STAMP_BYTES || head.includes(NEWLINE);
    if (!isWhole) this.#held = all;
    else if (this.#state === 'stamp') this.#state = 'words';
    // A node's words have no end of line (restful.Response.WriteErrorString).
    else if (all.includes(NEWLINE) || all.length > WORDS_BYTES) this.#state = 'plain';
    else this.#held = all;
    return this.#held === all ? NOTHING : all;
  }
}

const NOTHING = Buffer.alloc(0);
