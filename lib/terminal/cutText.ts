import { charactersOf, characterWidth, widthOf } from './width.ts';

/** What stands where something was left out. */
export type Mark = '…' | '~';

/** The beginning of a text, no wider than so many columns; the mark says that there is more. */
export function cutEnd(text: string, columns: number, mark: Mark = '…'): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  return `${begin(charactersOf(text), columns - 1)}${mark}`;
}

/** Both ends of a text: the names of runs differ at their ends. */
export function cutMiddle(text: string, columns: number, mark: Mark = '…'): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 4) return cutEnd(text, columns, mark);
  const characters = charactersOf(text);
  const tail = begin(characters.toReversed(), Math.floor((columns - 1) / 2), true);
  return `${begin(characters, columns - 1 - widthOf(tail))}${mark}${tail}`;
}

/** As many of the characters as fit. */
function begin(characters: readonly string[], columns: number, isReversed = false): string {
  const taken: string[] = [];
  let left = columns;
  for (const character of characters) {
    left -= characterWidth(character);
    if (left < 0) break;
    taken.push(character);
  }
  return (isReversed ? taken.reverse() : taken).join('');
}

/** Filled with blanks up to so many columns. */
export function padEnd(text: string, columns: number): string {
  return text + blanks(columns - widthOf(text));
}

/** The same with the blanks in front: numbers stand under each other. */
export function padStart(text: string, columns: number): string {
  return blanks(columns - widthOf(text)) + text;
}

const blanks = (count: number) => ' '.repeat(Math.max(0, count));
