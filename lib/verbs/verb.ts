import type { Flag } from './flagWords.ts';
import type { Streams } from './streams.ts';

/** What a verb is called with. */
export interface VerbCall {
  /** The words behind its name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
}

/** A verb of pman's command line: `pman <verb> …`. Help, manual page and completions are made of it. */
export interface Verb {
  /** What stands behind its name: `[flags] [JOB…]`. */
  readonly usage: readonly string[];
  /** Lines as people type them, and what each is for. */
  readonly examples: ReadonlyArray<readonly [line: string, what: string]>;
  /** In the order in which they are used. */
  readonly flags: readonly Flag[];
  /** What else there is to know, a paragraph each. */
  readonly notes?: readonly string[];
  /** Whether its words are those of another program behind the first that is no flag. */
  readonly takesCommand?: boolean;
  /**
   * Does it.
   * @returns the exit code
   * @throws UsageError for words that it does not understand (2), CannotError and PmanClientError when it cannot (125 or
   * 1), Interrupted for Ctrl-C
   */
  run(call: VerbCall): Promise<number>;
}
