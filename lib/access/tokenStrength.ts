/** Fewer bits than this can be guessed by whoever has time or many addresses. */
export const STRONG_BITS = 128;

/** What characters a token seems to be drawn from, the smallest alphabet first: a name, and how many there are. */
const ALPHABETS = [
  { pattern: /^\d*$/, name: 'digits', size: 10 },
  { pattern: /^([0-9a-f]*|[0-9A-F]*)$/, name: 'hexadecimal digits', size: 16 },
  { pattern: /^([a-z]*|[A-Z]*)$/, name: 'letters of one case', size: 26 },
  { pattern: /^([a-z0-9]*|[A-Z0-9]*)$/, name: 'letters of one case and digits', size: 36 },
  { pattern: /^[A-Za-z]*$/, name: 'letters', size: 52 },
  { pattern: /^[A-Za-z0-9]*$/, name: 'letters and digits', size: 62 },
  { pattern: /^/, name: 'characters of all kinds', size: 95 },
] as const;

/**
 * How hard a token is to guess if its characters were drawn by chance: its length times the bits of one character
 * of its alphabet. A token with few different characters counts only these. A word of a language is worth far less.
 */
export function strengthOf(token: string): {
  readonly bits: number;
  /** How that was counted. */
  readonly words: string;
} {
  const characters = [...token];
  const fitting = ALPHABETS.find(({ pattern }) => pattern.test(token)) ?? ALPHABETS[6];
  const different = new Set(characters).size;
  const size = different < 6 ? Math.min(different, fitting.size) : fitting.size;
  const bits = Math.floor(characters.length * Math.log2(Math.max(size, 1)) + 1e-9);
  const kinds = size === fitting.size ? fitting.name : 'different characters';
  return { bits, words: `${characters.length} characters out of ${size} (${kinds})` };
}
