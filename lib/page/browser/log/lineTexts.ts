import type { PmanClient } from '../../../client/index.ts';
import type { LineRange } from '../pagePlace.ts';
import { PLAIN, showLine, textOf } from './ansi.ts';

/** So many lines are fetched at once to be copied. */
const COPIED_LINES = 1000;
/** Of a line that is long so much is fetched at most, in bytes. */
const WHOLE_BYTES = 4 * 1024 * 1024;

/** The text of these lines, all of them, also of those that were never in view. */
export async function markedText(
  client: Pick<PmanClient, 'lines'>,
  id: string,
  { from, to }: LineRange,
  signal: AbortSignal,
): Promise<string> {
  const texts: string[] = [];
  for (let line = from; line <= to; ) {
    const count = Math.min(to - line + 1, COPIED_LINES);
    const { lines } = await client.lines(
      id,
      { from: line, count, lineBytes: WHOLE_BYTES },
      { signal },
    );
    if (lines.length === 0) break;
    texts.push(...lines.map(({ text }) => textOf(showLine(text, PLAIN).spans)));
    line += lines.length;
  }
  return texts.join('\n');
}

/** All of a line that is cut in the window, as it was written. */
export async function wholeText(
  client: Pick<PmanClient, 'lines'>,
  id: string,
  line: number,
  signal: AbortSignal,
): Promise<string> {
  const query = { from: line, count: 1, lineBytes: WHOLE_BYTES };
  const { lines } = await client.lines(id, query, { signal });
  return lines[0]?.text ?? '';
}
