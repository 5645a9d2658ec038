/** The command on the remote host, as the wrapper round it says. */
export interface RemoteProcess {
  /** Of the command's own shell. */
  readonly pid: number;
  readonly processGroup: number;
  /** Of the wrapper: it waits for the command, and has the marker among its arguments. */
  readonly wrapperPid: number;
  readonly marker: string;
}

/** What the wrapper says about the command it runs on the remote host. */
export type SshRecord =
  | { readonly kind: 'pid'; readonly remote: RemoteProcess }
  | { readonly kind: 'end'; readonly returncode: number };

/** A stretch of the remote stderr, or a record that stood in it. */
export type SshPiece = { readonly kind: 'text'; readonly text: Buffer } | SshRecord;

const LONGEST_RECORD = 64;

/**
 * Takes the wrapper's records out of the remote stderr, wherever the chunks are cut; every other byte
 * goes on in order, and at once unless it may be the beginning of a record.
 */
export class SshRecordReader {
  readonly #marker: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(marker: string) {
    this.#marker = Buffer.from(marker);
  }

  get marker(): string {
    return this.#marker.toString();
  }

  *push(chunk: Buffer): Generator<SshPiece, void, void> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const at = rest.indexOf(this.#marker);
      if (at < 0) break;
      const from = at + this.#marker.length;
      const end = rest.indexOf(';', from);
      if (end < 0 && rest.length - from < LONGEST_RECORD) {
        yield* textOf(rest.subarray(0, at));
        this.#held = rest.subarray(at);
        return;
      }
      const record =
        end < 0 ? undefined : parseRecord(rest.toString('latin1', from, end), this.marker);
      yield* textOf(rest.subarray(0, record === undefined ? from : at));
      if (record !== undefined) yield record;
      rest = rest.subarray(record === undefined ? from : end + 1);
    }
    const keep = this.#startOfMarker(rest);
    yield* textOf(rest.subarray(0, keep));
    this.#held = rest.subarray(keep);
  }

  /** What was held back, once nothing more comes. */
  *end(): Generator<SshPiece, void, void> {
    yield* textOf(this.#held);
    this.#held = Buffer.alloc(0);
  }

  /** Where the text's last bytes begin that may be the start of a marker; its length if none. */
  #startOfMarker(text: Buffer): number {
    const first = Math.max(0, text.length - this.#marker.length + 1);
    for (let at = first; at < text.length; at += 1) {
      if (this.#marker.subarray(0, text.length - at).equals(text.subarray(at))) return at;
    }
    return text.length;
  }
}

function* textOf(text: Buffer): Generator<SshPiece, void, void> {
  if (text.length > 0) yield { kind: 'text', text };
}

function parseRecord(text: string, marker: string): SshRecord | undefined {
  const [, pid, processGroup, wrapperPid, returncode] =
    /^(?:pid (\d+) (\d+) (\d+)|end (\d+))$/.exec(text) ?? [];
  if (returncode !== undefined) return { kind: 'end', returncode: Number(returncode) };
  if (pid === undefined) return undefined;
  return {
    kind: 'pid',
    remote: {
      pid: Number(pid),
      processGroup: Number(processGroup),
      wrapperPid: Number(wrapperPid),
      marker,
    },
  };
}
