import { eastAsianWidth } from 'get-east-asian-width';

/** What takes a column a character, and needs no look. */
const PLAIN = /^[\u0020-\u007e]*$/;
/** Nothing is drawn for them by themselves. */
const INVISIBLE =
  /^[\p{Control}\p{Mark}\p{Format}\p{Surrogate}\p{Default_Ignorable_Code_Point}]+$/u;
/** Emoji of several code points, or asked for as such: joined ones, flags, keys. */
const EMOJI = /\p{Extended_Pictographic}.*[\u{fe0f}\u{200d}]|^\p{Regional_Indicator}{2}|\u{20e3}/u;

let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one character each: letters with their accents, emoji of several code points. */
export function charactersOf(text: string): readonly string[] {
  if (PLAIN.test(text)) return Array.from(text);
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many columns of a terminal a text takes. It holds no escapes. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return charactersOf(text).reduce((sum, character) => sum + characterWidth(character), 0);
}

/** The columns of one of `charactersOf`. */
export function characterWidth(character: string): number {
  if (PLAIN.test(character)) return character.length;
  if (INVISIBLE.test(character)) return 0;
  if (EMOJI.test(character)) return 2;
  let width = 0;
  for (const one of character) {
    if (INVISIBLE.test(one)) continue;
    width += eastAsianWidth(one.codePointAt(0) ?? 0);
    // What stands behind the first is drawn over it, but for half-width forms.
    if (width > 0 && !isHalfWidthMark(character)) break;
  }
  return width;
}

const isHalfWidthMark = (character: string) => /[\uff9e\uff9f]/.test(character);
