import type { PmanClient } from '../../../client/index.ts';
import type { LineRange } from '../pagePlace.ts';
import { copiedWords, markedText } from './lineTexts.ts';
import type { SelectedText } from './logCopy.ts';

export interface CopierOptions {
  readonly client: Pick<PmanClient, 'lines'>;
  /** Of the job. */
  readonly id: string;
  /** Whether a line is in view when its place is. */
  readonly isShown: (line: number) => boolean;
  /** Puts a text where people can take it from, and says what it was. */
  readonly onCopy: (text: string, what: string) => void;
}

/** Copies lines of a log, of which some have to be fetched. */
export class LogCopier {
  readonly #options: CopierOptions;

  constructor(options: CopierOptions) {
    this.#options = options;
  }

  /** All of these lines. @throws Error when pman refuses it, or it is too much */
  async lines(range: LineRange, signal: AbortSignal): Promise<void> {
    const { client, id, onCopy } = this.#options;
    const { lines, cut } = await markedText(client, id, range, signal);
    onCopy(lines.join('\n'), copiedWords(cut));
  }

  /** What is selected. @throws Error as above */
  async selected({ from, to, first, last }: SelectedText, signal: AbortSignal): Promise<void> {
    const { client, id, isShown, onCopy } = this.#options;
    const between = { from: from + 1, to: to - 1 };
    const { lines, cut } = await markedText(client, id, between, signal, isShown);
    onCopy([first, ...lines, last].join('\n'), copiedWords(cut));
  }
}
