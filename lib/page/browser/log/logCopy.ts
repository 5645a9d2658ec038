/** What is selected in the rows of a log: a part of the first line and of the last one, and what is between them. */
export interface SelectedText {
  readonly from: number;
  readonly to: number;
  readonly first: string;
  /** undefined: it is all in one line. */
  readonly last: string | undefined;
}

/**
 * What is selected in the rows of a log, as it was written: without numbers, a line for each row.
 * @returns undefined when nothing is selected, or something else too
 */
export function selectedText(
  selection: Selection | null,
  rows: HTMLElement,
): SelectedText | undefined {
  if (selection === null || selection.isCollapsed || selection.rangeCount !== 1) return undefined;
  const range = selection.getRangeAt(0);
  if (!rows.contains(range.commonAncestorContainer)) return undefined;
  const [first, last] = [
    rowAt(rows, range.startContainer, range.startOffset),
    lastRowAt(rows, range),
  ];
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = [numberOf(first), numberOf(last)];
  const text = partOf(range, first);
  return { from, to, first: text, last: from === to ? undefined : partOf(range, last) };
}

/** The line of the row that a node is in. */
export function lineOf(node: Node | null): number | undefined {
  const row = rowOf(node);
  return row === undefined ? undefined : numberOf(row);
}

/** What of the text of a row is selected. */
function partOf(range: Range, row: HTMLElement): string {
  const text = row.querySelector('.log-text');
  if (text === null) return '';
  const part = document.createRange();
  part.selectNodeContents(text);
  if (part.compareBoundaryPoints(Range.START_TO_START, range) < 0) {
    part.setStart(range.startContainer, range.startOffset);
  }
  if (part.compareBoundaryPoints(Range.END_TO_END, range) > 0) {
    part.setEnd(range.endContainer, range.endOffset);
  }
  return part.toString();
}

function rowAt(rows: HTMLElement, node: Node, offset: number): HTMLElement | undefined {
  const inner = node === rows ? (rows.childNodes[offset] ?? rows.lastChild) : node;
  return rowOf(inner);
}

/** A selection that ends before a row has nothing of it. */
function lastRowAt(rows: HTMLElement, { endContainer, endOffset }: Range): HTMLElement | undefined {
  if (endContainer !== rows) return rowOf(endContainer);
  return rowOf(rows.childNodes[Math.max(0, endOffset - 1)] ?? null);
}

function rowOf(node: Node | null): HTMLElement | undefined {
  const element = node instanceof Element ? node : node?.parentElement;
  return element?.closest<HTMLElement>('.log-row') ?? undefined;
}

function numberOf(row: HTMLElement): number {
  return Number(row.dataset.line);
}
