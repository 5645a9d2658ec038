import { textOf } from './ansi.ts';
import type { RowRange } from './drawnRanges.ts';
import { lineOf, type SelectedText, selectedText } from './logCopy.ts';
import type { RowContent } from './logRow.ts';
import type { RowMap } from './rowMap.ts';

export interface SelectionOptions {
  /** Where the rows are. */
  readonly rows: HTMLElement;
  readonly map: () => RowMap;
  readonly contentOf: (line: number) => RowContent;
  readonly onChange: () => void;
  /** This is to be copied, and not all of it is there. */
  readonly onCopy: (selected: SelectedText) => void;
}

/** What is selected in the rows of a log, and how it is copied. */
export class LogSelection {
  readonly #options: SelectionOptions;

  /** @param signal ends it */
  constructor(options: SelectionOptions, signal: AbortSignal) {
    this.#options = options;
    document.addEventListener('selectionchange', () => options.onChange(), { signal });
    options.rows.addEventListener('copy', (event) => this.#copied(event), { signal });
  }

  /** The rows of what is selected, or of where a selection would begin. */
  get range(): RowRange | undefined {
    const { rows, map } = this.#options;
    const selection = document.getSelection();
    if (selection === null || !rows.contains(selection.anchorNode)) return undefined;
    const ends = [lineOf(selection.anchorNode), lineOf(selection.focusNode)];
    const found = ends.flatMap((line) => (line === undefined ? [] : [map().rowOf(line)]));
    if (found.length === 0) return undefined;
    return { from: Math.min(...found), to: Math.max(...found) };
  }

  #copied(event: ClipboardEvent): void {
    const selected = selectedText(document.getSelection(), this.#options.rows);
    if (selected === undefined) return;
    event.preventDefault();
    const text = this.#textOf(selected);
    if (text === undefined) this.#options.onCopy(selected);
    else event.clipboardData?.setData('text/plain', text);
  }

  /** All of it; undefined when something of it is not there. */
  #textOf({ from, to, first, last }: SelectedText): string | undefined {
    if (last === undefined) return first;
    const map = this.#options.map();
    const texts = [first];
    for (let row = map.rowOf(from) + 1; row < map.rowOf(to); row += 1) {
      const { line, spans } = this.#options.contentOf(map.lineAt(row));
      if (line === undefined || line.bytes !== undefined) return undefined;
      texts.push(textOf(spans));
    }
    return [...texts, last].join('\n');
  }
}
