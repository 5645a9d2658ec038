/** A verb of pman's command line: `pman <verb> …`. */
export interface Verb {
  /** What it is for, in a line. */
  readonly help: string;
  /**
   * Does it, with the words that stand behind its name.
   * @returns what is printed
   * @throws UsageError for words that it does not understand; PmanError when it cannot
   */
  run(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<string>;
}
