import { cutEnd, cutMiddle, type Mark, padEnd, padStart } from './cutText.ts';
import { oneLine } from './oneLine.ts';
import { widthOf } from './width.ts';

/** A column of a table on a terminal. */
export interface Column<Row> {
  readonly name: string;
  readonly text: (row: Row) => string;
  /** How it is coloured, when it has its width. */
  readonly look?: (text: string, row: Row) => string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  /** Where it is cut when it has to be; default: it never is. */
  readonly cut?: 'middle' | 'end';
  /** The most that it takes of 80 columns, and so much more of a wider terminal; what it has beyond that is cut. */
  readonly most?: number;
  /** It takes what the others leave. */
  readonly takesRest?: boolean;
  /** It is left out on a terminal of fewer columns. */
  readonly leavesBelow?: number;
  /** It is left out where a line would be too wide with it, the last such column first. */
  readonly leavesWhenFull?: boolean;
}

export interface TableOptions {
  /** Of the terminal. */
  readonly columns: number;
  readonly header?: (text: string) => string;
  readonly mark?: Mark;
}

interface Fitted<Row> {
  readonly shown: readonly Column<Row>[];
  readonly cells: readonly (readonly string[])[];
  readonly widths: readonly number[];
}

const GAP = '  ';
const USUAL_ROOM = 80;
/** What takes the rest has so much at least, or it is left out. */
const LEAST_REST = 8;

/**
 * A table of which each row is one line, whatever is in it, and no line is wider than the terminal, as far as what is never
 * cut allows that. The first column has no name and one blank behind it: it holds a sign.
 */
export function tableLines<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: room, header, mark = '…' }: TableOptions,
): readonly string[] {
  const wanted = all.filter(({ leavesBelow = 0 }) => room >= leavesBelow);
  const { shown, cells, widths } = fitted(wanted, rows, room);
  const line = (texts: readonly string[], row: Row | undefined) =>
    shown
      .map((column, i) => {
        const width = widths[i] ?? 0;
        if (width === 0) return '';
        const cut = cutTo(texts[i] ?? '', width, column, mark);
        const isLast = shown.slice(i + 1).every((_, j) => (widths[i + 1 + j] ?? 0) === 0);
        const padded = column.isNumber ? padStart(cut, width) : isLast ? cut : padEnd(cut, width);
        const looked =
          row === undefined ? padded : keepingBlanks(padded, (text) => column.look?.(text, row));
        return `${i === 0 ? '' : shown[i - 1]?.name === '' ? ' ' : GAP}${looked}`;
      })
      .join('')
      .trimEnd();
  const names = line(
    shown.map(({ name }) => name),
    undefined,
  );
  const body = rows.map((row, i) => line(cells[i] ?? [], row));
  return header === undefined ? body : [header(names), ...body];
}

/** The columns that a line has room for, what stands in them, and how wide they are. */
function fitted<Row>(
  shown: readonly Column<Row>[],
  rows: readonly Row[],
  room: number,
): Fitted<Row> {
  const cells = rows.map((row) => shown.map((column) => oneLine(column.text(row))));
  const widest = shown.map(({ name }, i) =>
    Math.max(widthOf(name), ...cells.map((line) => widthOf(line[i] ?? ''))),
  );
  const widths = shown.map(({ most = Number.POSITIVE_INFINITY }, i) =>
    Math.min(widest[i] ?? 0, Math.floor(most * Math.max(1, room / USUAL_ROOM))),
  );
  narrow(shown, widths, room);
  const last = shown.findLastIndex(({ leavesWhenFull }) => leavesWhenFull === true);
  if (last >= 0 && excess(shown, widths, room) > 0) {
    return fitted(shown.toSpliced(last, 1), rows, room);
  }
  widen(shown, widths, widest, room);
  return { shown, cells, widths };
}

/** How much wider than the terminal a line is; what is left of it is below 0. */
function excess<Row>(
  shown: readonly Column<Row>[],
  widths: readonly number[],
  room: number,
): number {
  // What has no width has no gap.
  const gaps = shown.reduce(
    (sum, _, i) =>
      sum + (i === 0 || widths[i] === 0 ? 0 : shown[i - 1]?.name === '' ? 1 : GAP.length),
    0,
  );
  return widths.reduce((sum, width) => sum + width, gaps) - room;
}

/** What is cut in its middle, such as a name, gets what nobody needs. */
function widen<Row>(
  shown: readonly Column<Row>[],
  widths: number[],
  widest: readonly number[],
  room: number,
): void {
  for (const [i, { cut }] of shown.entries()) {
    const left = Math.max(0, -excess(shown, widths, room));
    if (cut === 'middle') widths[i] = Math.min(widest[i] ?? 0, (widths[i] ?? 0) + left);
  }
}

/** Makes what can be cut narrower until a line fits. */
function narrow<Row>(shown: readonly Column<Row>[], widths: number[], room: number): void {
  const over = () => excess(shown, widths, room);
  const shrink = (i: number, least: number) => {
    const width = widths[i] ?? 0;
    if (over() > 0) widths[i] = Math.max(Math.min(width, least), width - over());
  };
  const rest = shown.findIndex(({ takesRest }) => takesRest === true);
  if (rest >= 0) shrink(rest, LEAST_REST);
  for (const [i, { cut, takesRest }] of shown.entries()) {
    if (cut !== undefined && takesRest !== true) shrink(i, LEAST_REST);
  }
  if (over() > 0 && rest >= 0) widths[rest] = 0;
}

function cutTo<Row>(text: string, width: number, { cut }: Column<Row>, mark: Mark): string {
  if (cut === undefined) return text;
  return cut === 'middle' ? cutMiddle(text, width, mark) : cutEnd(text, width, mark);
}

/** Colours what is written and not the blanks around it. */
function keepingBlanks(text: string, look: (text: string) => string | undefined): string {
  const inner = text.trim();
  if (inner === '') return text;
  const at = text.indexOf(inner);
  return `${text.slice(0, at)}${look(inner) ?? inner}${text.slice(at + inner.length)}`;
}

/** The rows for programs: tabs between the fields, nothing cut. */
export function fieldLine(fields: readonly string[]): string {
  return fields.join('\t');
}
