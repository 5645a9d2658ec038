/** A manual page, whatever it is written as. */
export interface ManualPage {
  /** Of the page: `pman-run`. */
  readonly name: string;
  /** As it is typed: `pman run`. */
  readonly program: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Behind the program. */
  readonly usage: readonly string[];
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly examples: ReadonlyArray<readonly [line: string, what: string]>;
  readonly options: readonly ManualOption[];
  /** Texts whose lines stay as they are, under headings. */
  readonly texts: ReadonlyArray<readonly [heading: string, text: string]>;
  readonly seeAlso: readonly string[];
}

export interface ManualOption {
  /** `-f, --follow`. */
  readonly flags: string;
  readonly help: string;
}
