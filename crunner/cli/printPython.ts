import type { EntryValue, JobEntry } from './jobEntry.ts';

const WIDTH = 80;
const INDENT = 4;
/** After what Python's `splitlines` takes for the end of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are line ends to Python
const LINE_END = /(?<=[\n\v\f\u001c-\u001e\u0085\u2028\u2029])/;

/**
 * The job dictionary as Python's `pprint` shows it (indent 4, 80 columns, keys sorted), with its final
 * newline; in pieces, so that a long output is never held whole.
 */
export async function* printPython(jobs: readonly JobEntry[]): AsyncGenerator<string, void, void> {
  const entries = jobs.map((job, index) => [String(index), job] as const);
  yield* dictionary(entries, 0, 1, (job, column, allowance) =>
    dictionary([...job], column, allowance + 1, formatValue),
  );
  yield '\n';
}

type Format<T> = (value: T, column: number, allowance: number) => AsyncIterable<string>;

/** `column` is where the brace stands; `allowance` how many closing marks follow the last value. */
async function* dictionary<T>(
  entries: readonly (readonly [string, T])[],
  column: number,
  allowance: number,
  format: Format<T>,
): AsyncGenerator<string, void, void> {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const inner = column + INDENT;
  yield `{${' '.repeat(INDENT - 1)}`;
  for (const [index, [key, value]] of sorted.entries()) {
    const last = index === sorted.length - 1;
    const name = pythonRepr(key);
    yield `${name}: `;
    yield* format(value, inner + name.length + 2, last ? allowance : 1);
    if (!last) yield `,\n${' '.repeat(inner)}`;
  }
  yield '}';
}

async function* formatValue(
  value: EntryValue,
  column: number,
  allowance: number,
): AsyncGenerator<string, void, void> {
  if (typeof value === 'boolean') yield value ? 'True' : 'False';
  else if (typeof value === 'number') yield String(value);
  else if (typeof value === 'string') yield* formatText(once(value), column, allowance);
  else if ('uname' in value) {
    const fields = value.uname.map(([field, text]) => `${field}=${pythonRepr(text)}`);
    yield `uname_result(${fields.join(', ')})`;
  } else yield* formatText(value.pieces(), column, allowance);
}

async function* once(text: string): AsyncGenerator<string, void, void> {
  yield text;
}

/** A string: on one line if it fits, else a line for each of its own, and those cut at blanks. */
async function* formatText(
  pieces: AsyncIterable<string>,
  column: number,
  allowance: number,
): AsyncGenerator<string, void, void> {
  const room = WIDTH - column;
  let separator = '';
  let first = '';
  for await (const { line, last } of linesOf(pieces)) {
    // What fits as a whole is not cut, even at its newlines: look at the first lines together.
    const whole = separator === '' ? first + line : '';
    if (separator === '' && pythonRepr(whole).length <= room - allowance) {
      first = whole;
      if (last) yield pythonRepr(whole);
      continue;
    }
    const ready = first === '' ? [] : first.split(LINE_END);
    first = '';
    for (const chunk of [...ready, line].flatMap((text, index) =>
      chunksOf(text, room, last && index === ready.length ? allowance : 0),
    )) {
      yield separator + pythonRepr(chunk);
      separator = `\n${' '.repeat(column)}`;
    }
  }
}

/** One line of a long string, cut before the words that do not fit. */
function chunksOf(line: string, room: number, allowance: number): readonly string[] {
  if (pythonRepr(line).length <= room - allowance) return [line];
  const words = line.match(/\S*\s+|\S+/g) ?? [];
  const chunks: string[] = [];
  let current = '';
  for (const [index, word] of words.entries()) {
    const limit = index === words.length - 1 ? room - allowance : room;
    if (current !== '' && pythonRepr(current + word).length > limit) {
      chunks.push(current);
      current = '';
    }
    current += word;
  }
  return current === '' ? chunks : [...chunks, current];
}

interface Line {
  /** With its newline; empty for an empty text. */
  readonly line: string;
  readonly last: boolean;
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<Line, void, void> {
  let open: string[] = [];
  let before: string | undefined;
  for await (const piece of pieces) {
    const [head = '', ...rest] = piece.split(LINE_END);
    open.push(head);
    for (const next of rest) {
      if (before !== undefined) yield { line: before, last: false };
      before = open.join('');
      open = [next];
    }
  }
  const tail = open.join('');
  if (before !== undefined && tail !== '') yield { line: before, last: false };
  yield { line: tail === '' ? (before ?? '') : tail, last: true };
}

/** A string as Python writes it in source. */
export function pythonRepr(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/['"\\]|[^\P{C}]|[^\P{Z} ]/gu, (char) => escapeChar(char, mark));
  return mark + body + mark;
}

function escapeChar(char: string, mark: string): string {
  if (char === '\\' || char === mark) return `\\${char}`;
  if (char === "'" || char === '"') return char;
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
  if (named !== undefined) return named;
  const code = char.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}
