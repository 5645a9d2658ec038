import type { PmanClient } from '../../../client/index.ts';
import type { LineRange } from '../pagePlace.ts';
import { PLAIN, showLine, textOf } from './ansi.ts';
import { bytesText } from './bytesText.ts';

/** So many lines are fetched at once to be copied. */
const COPIED_LINES = 1000;
/** Of a line that is long so much is fetched at most, in bytes. */
const WHOLE_BYTES = 4 * 1024 * 1024;
/** So much is copied at most, in characters: a browser has to hold all of it. */
const MOST_COPIED = 64 * 1024 * 1024;

type Lines = Pick<PmanClient, 'lines'>;

export interface CopiedText {
  readonly lines: readonly string[];
  /** Which lines it has the beginning of alone. */
  readonly cut: readonly number[];
}

/**
 * The text of these lines, all of them, also of those that were never in view.
 * @param isWanted tells of a line in between whether it counts
 * @throws Error when that is too much
 */
export async function markedText(
  client: Lines,
  id: string,
  { from, to }: LineRange,
  signal: AbortSignal,
  isWanted: (line: number) => boolean = () => true,
): Promise<CopiedText> {
  const texts: string[] = [];
  const cut: number[] = [];
  let length = 0;
  for (let line = from; line <= to; ) {
    const count = Math.min(to - line + 1, COPIED_LINES);
    const query = { from: line, count, lineBytes: WHOLE_BYTES };
    const { lines } = await client.lines(id, query, { signal });
    if (lines.length === 0) break;
    for (const { line: number, text, bytes } of lines) {
      if (!isWanted(number)) continue;
      if (bytes !== undefined) cut.push(number);
      const shown = textOf(showLine(text, PLAIN).spans);
      texts.push(shown);
      length += shown.length + 1;
    }
    if (length > MOST_COPIED) {
      throw new Error(`Not copied: it is more than ${bytesText(MOST_COPIED)}. Download has it.`);
    }
    line += lines.length;
  }
  return { lines: texts, cut };
}

/** What was copied, in words: also what of it is missing. */
export function copiedWords(cut: readonly number[]): string {
  if (cut.length === 0) return 'text';
  const which = cut.length === 1 ? `line ${cut[0]}` : `${cut.length} lines`;
  return `text, of ${which} only ${bytesText(WHOLE_BYTES)} (Download has all),`;
}

/** All of a line that is cut in the window, or as much as a page can show. */
export interface WholeLine {
  readonly line: number;
  readonly text: string;
  /** What of it is missing, in words; undefined: nothing. */
  readonly missing: string | undefined;
}

/** Fetches all of a line that is cut in the window. */
export async function wholeLine(
  client: Lines,
  id: string,
  line: number,
  signal: AbortSignal,
): Promise<WholeLine> {
  const query = { from: line, count: 1, lineBytes: WHOLE_BYTES };
  const [found] = (await client.lines(id, query, { signal })).lines;
  const text = textOf(showLine(found?.text ?? '', PLAIN).spans);
  const missing =
    found?.bytes === undefined
      ? undefined
      : `Of ${bytesText(found.bytes)} only ${bytesText(WHOLE_BYTES)} are shown. Download has all.`;
  return { line, text, missing };
}
