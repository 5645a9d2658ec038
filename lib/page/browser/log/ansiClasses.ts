import type { Colour, Look } from './ansi.ts';

/** The colours of the page: each is readable on what a line may have behind it, in light and in dark. */
type Token = 'text' | 'muted' | 'fail' | 'ok' | 'warn' | 'run' | 'lost';

/** Black, red, green, yellow, blue, magenta, cyan, white; then the bright ones. */
const NAMED: readonly Token[] = [
  ...(['muted', 'fail', 'ok', 'warn', 'run', 'lost', 'run', 'text'] as const),
  ...(['muted', 'fail', 'ok', 'warn', 'run', 'lost', 'run', 'text'] as const),
];

/** The classes of a span, with spaces between. */
export function classesOf(look: Look): string {
  const token = look.dim === true && look.text === undefined ? 'muted' : tokenOf(look.text);
  const isMarked = look.ground !== undefined || look.inverse === true;
  return [
    ...(token === 'text' ? [] : [`log-${token}`]),
    ...(isMarked ? ['log-ground'] : []),
    ...(['bold', 'italic', 'underline', 'strike'] as const).flatMap((name) =>
      look[name] === true ? [`log-${name}`] : [],
    ),
  ].join(' ');
}

function tokenOf(colour: Colour | undefined): Token {
  if (colour === undefined) return 'text';
  if (typeof colour !== 'number') return nearest(...colour);
  if (colour < 16) return NAMED[colour] ?? 'text';
  if (colour >= 232) return colour < 250 ? 'muted' : 'text';
  const step = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = colour - 16;
  return nearest(step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6));
}

/** By its hue; what has next to none is grey, or as good as text. */
function nearest(r: number, g: number, b: number): Token {
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  const span = most - least;
  if (span < 40) return most > 64 && most < 200 ? 'muted' : 'text';
  const turn = most === r ? (g - b) / span : most === g ? 2 + (b - r) / span : 4 + (r - g) / span;
  const hue = (turn * 60 + 360) % 360;
  if (hue < 20 || hue >= 340) return 'fail';
  if (hue < 68) return 'warn';
  if (hue < 190) return 'ok';
  return hue < 255 ? 'run' : 'lost';
}
