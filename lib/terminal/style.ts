/** The terminal's own colours, so that the themes of people hold. */
const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  inverse: [7, 27],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

export type Look = keyof typeof CODES;
export type Style = Readonly<Record<Look, (text: string) => string>>;

const LOOKS = Object.keys(CODES) as readonly Look[];

function styleWith(make: (look: Look) => (text: string) => string): Style {
  return Object.fromEntries(LOOKS.map((look) => [look, make(look)])) as Style;
}

/** Texts as they are: not one escape. */
export const PLAIN_STYLE: Style = styleWith(() => (text) => text);

/** Texts with escapes around them; an empty text stays empty. */
export const COLOUR_STYLE: Style = styleWith((look) => {
  const [on, off] = CODES[look];
  return (text) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`);
});

export const COLOUR_WISHES = ['auto', 'always', 'never'] as const;
export type ColourWish = (typeof COLOUR_WISHES)[number];

/**
 * How a stream is written to.
 * @param wish of `--color`; it wins over `NO_COLOR` (no-color.org) and over what the stream is
 */
export function styleOf(
  isTerminal: boolean,
  wish: ColourWish,
  { NO_COLOR, TERM }: Readonly<Record<string, string | undefined>>,
): Style {
  if (wish !== 'auto') return wish === 'always' ? COLOUR_STYLE : PLAIN_STYLE;
  return isTerminal && !NO_COLOR && TERM !== 'dumb' ? COLOUR_STYLE : PLAIN_STYLE;
}
