import { once } from 'node:events';
import { heedOutput } from '../programOutput.ts';
import { type Signs, signsOf } from '../terminal/signs.ts';
import { type ColourWish, type Style, styleOf } from '../terminal/style.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** One of the two streams that a verb writes to. */
export class Sink {
  readonly isTerminal: boolean;
  readonly #stream: NodeJS.WriteStream;
  readonly #env: Env;

  constructor(stream: NodeJS.WriteStream, env: Env) {
    this.#stream = stream;
    this.#env = env;
    this.isTerminal = stream.isTTY === true;
  }

  write(text: string | Uint8Array): void {
    this.#stream.write(text);
  }

  line(text = ''): void {
    this.#stream.write(`${text}\n`);
  }

  /** Resolves when more can be written without it being heaped up. */
  async ready(): Promise<void> {
    const { errored, writableNeedDrain } = this.#stream;
    // Who hears of a failure of stdout decides what becomes of it: heedOutput.
    if (writableNeedDrain && errored === null) await once(this.#stream, 'drain').catch(() => {});
  }

  /** Whether escapes that move the cursor are obeyed there. */
  get canRedraw(): boolean {
    return this.isTerminal && this.#env.TERM !== 'dumb';
  }

  /** The width now; `COLUMNS` where it is no terminal. */
  columns(): number {
    if (this.isTerminal && this.#stream.columns > 0) return this.#stream.columns;
    const asked = Number(this.#env.COLUMNS);
    return Number.isInteger(asked) && asked > 0 ? asked : 80;
  }

  rows(): number {
    return this.isTerminal && this.#stream.rows > 0 ? this.#stream.rows : 24;
  }

  style(wish: ColourWish): Style {
    return styleOf(this.isTerminal, wish, this.#env);
  }
}

/** Where a verb writes to and reads from: stdout is data, stderr is speech. */
export interface Streams {
  readonly out: Sink;
  readonly err: Sink;
  readonly input: NodeJS.ReadStream;
  readonly signs: Signs;
}

/** Those of this process. */
export function ownStreams(env: Env): Streams {
  heedOutput('pman');
  return {
    out: new Sink(process.stdout, env),
    err: new Sink(process.stderr, env),
    // A getter: the stream of the terminal is made when somebody reads it.
    get input() {
      return process.stdin;
    },
    signs: signsOf(env),
  };
}
