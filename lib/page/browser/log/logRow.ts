import type { OutputLine } from '../../../client/index.ts';
import { terminalText } from '../../../terminalText.ts';
import type { Span } from './ansi.ts';
import { classesOf } from './ansiClasses.ts';
import { bytesText } from './bytesText.ts';
import type { TextRange } from './logQuery.ts';

export interface RowContent {
  readonly number: number;
  /** undefined: it is being fetched. */
  readonly line: OutputLine | undefined;
  readonly spans: readonly Span[];
  /** What stands before it, when times are wanted. */
  readonly time: string;
  readonly isMarked: boolean;
  readonly hits: readonly TextRange[];
  readonly isCurrentHit: boolean;
}

/** An element for a row. Its number, its time and the sign of stderr are not part of its text, so that nobody copies them. */
export function makeRow(content: RowContent): HTMLElement {
  const { number, line, spans, time, isMarked, hits, isCurrentHit } = content;
  const row = element('div', 'log-row');
  row.dataset.line = String(number);
  if (line?.stream === 'stderr') row.classList.add('log-stderr');
  if (line === undefined) row.classList.add('log-unread');
  if (isMarked) row.classList.add('log-marked');
  if (hits.length > 0) row.classList.add('log-hit');
  if (isCurrentHit) row.classList.add('log-current');
  const link = element('a', 'log-number');
  link.href = `#L${number}`;
  link.tabIndex = -1;
  link.dataset.number = String(number);
  link.ariaLabel = line?.stream === 'stderr' ? `Line ${number}, stderr` : `Line ${number}`;
  row.append(link);
  if (time !== '') {
    const clock = element('span', 'log-time');
    clock.dataset.time = time;
    row.append(clock);
  }
  const text = element('span', 'log-text');
  text.append(...piecesOf(spans, hits));
  row.append(text);
  if (line?.bytes !== undefined) {
    const more = element('button', 'log-more');
    more.type = 'button';
    more.dataset.label = `show ${bytesText(line.bytes)}`;
    more.ariaLabel = `Show all of line ${number}, ${bytesText(line.bytes)}`;
    row.append(more);
  }
  return row;
}

function piecesOf(spans: readonly Span[], hits: readonly TextRange[]): Node[] {
  let at = 0;
  return spans.flatMap((span) => {
    const begin = at;
    at += span.text.length;
    return cut(span.text, begin, hits).map(({ text, isHit }) => pieceOf(span, text, isHit));
  });
}

/** A text that begins at a place, in pieces that are all a hit or none. */
function cut(text: string, begin: number, hits: readonly TextRange[]) {
  const pieces: { text: string; isHit: boolean }[] = [];
  let at = 0;
  const add = (to: number, isHit: boolean) => {
    if (to > at) pieces.push({ text: text.slice(at, to), isHit });
    at = Math.max(at, to);
  };
  for (const [from, to] of hits) {
    if (to <= begin + at || from >= begin + text.length) continue;
    add(from - begin, false);
    add(Math.min(to - begin, text.length), true);
  }
  add(text.length, false);
  return pieces;
}

function pieceOf({ look }: Span, text: string, isHit: boolean): Node {
  const classes = classesOf(look);
  if (classes === '' && !isHit && look.link === undefined)
    return document.createTextNode(terminalText(text));
  const piece = element(isHit ? 'mark' : 'span', classes);
  piece.textContent = terminalText(text);
  if (look.link === undefined) return piece;
  const link = element('a', 'log-link');
  link.href = look.link;
  link.rel = 'noopener noreferrer';
  link.target = '_blank';
  link.tabIndex = -1;
  link.append(piece);
  return link;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  classes: string,
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (classes !== '') made.className = classes;
  return made;
}
