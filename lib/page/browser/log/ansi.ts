/** A colour as a terminal knows it: one of its 256, or red, green and blue. */
export type Colour = number | readonly [number, number, number];

/** How text is shown (ECMA-48, 8.3.117). */
export interface Look {
  readonly text?: Colour | undefined;
  readonly ground?: Colour | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly inverse?: boolean;
  /** Where a click leads; http and https alone. */
  readonly link?: string | undefined;
}

export interface Span {
  readonly text: string;
  readonly look: Look;
}

export const PLAIN: Look = {};

/** Orders with parameters, orders with a text, the others, and what else is no text. */
const ORDER =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_]([^\u0007\u001b]*)(?:\u0007|\u001b\\)?|\u001b\[[0-?]*[ -/]*|\u001b[ -/]*[0-~]?|[\0-\u0008\u000b-\u001f\u007f]/g;

/**
 * One line as a terminal would show it at last, without its borders: what `\r` has overwritten is gone. Colours go on from
 * the line before; other orders are left out.
 * @returns the spans, and how the next line begins
 */
export function showLine(line: string, look: Look): { spans: readonly Span[]; look: Look } {
  if (!hasOrders(line)) return { spans: line === '' ? [] : [{ text: line, look }], look };
  const shown = new ShownLine(look);
  let at = 0;
  for (const match of line.matchAll(ORDER)) {
    shown.write(line.slice(at, match.index));
    at = match.index + match[0].length;
    const [order, parameters = '', final, words] = match;
    if (order === '\r') shown.column = 0;
    else if (final === 'm') shown.look = lookAfter(parameters, shown.look);
    else if (final === 'K') shown.erase(parameters);
    else if (words !== undefined && order[1] === ']') shown.look = linked(words, shown.look);
  }
  shown.write(line.slice(at));
  return { spans: shown.spans, look: shown.look };
}

/** The text of spans. */
export function textOf(spans: readonly Span[]): string {
  return spans.map(({ text }) => text).join('');
}

function hasOrders(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  return /[\0-\u0008\u000b-\u001f\u007f]/.test(line);
}

/** A line while it is written. */
class ShownLine {
  #spans: Span[] = [];
  #length = 0;
  column = 0;
  look: Look;

  constructor(look: Look) {
    this.look = look;
  }

  get spans(): readonly Span[] {
    return this.#spans;
  }

  write(text: string): void {
    if (text === '') return;
    const end = this.column + lengthOf(text);
    const behind = end < this.#length ? cut(this.#spans, end, this.#length) : [];
    if (this.column === 0) this.#spans = [];
    else if (this.column < this.#length) this.#spans = cut(this.#spans, 0, this.column);
    const last = this.#spans.at(-1);
    if (last?.look === this.look) {
      this.#spans[this.#spans.length - 1] = { text: last.text + text, look: this.look };
    } else this.#spans.push({ text, look: this.look });
    this.#spans.push(...behind);
    this.#length = Math.max(this.#length, end);
    this.column = end;
  }

  /** 0: from here on; 1: up to here; 2: all of it. */
  erase(which: string): void {
    if (which === '2' || (which === '1' && this.column >= this.#length)) {
      const blank = ' '.repeat(this.column);
      this.#spans = blank === '' ? [] : [{ text: blank, look: PLAIN }];
    } else if (which === '' || which === '0') {
      this.#spans = cut(this.#spans, 0, this.column);
    } else return;
    this.#length = Math.min(this.#length, this.column);
  }
}

/** Characters that are two units of JavaScript are one, so that none is cut in the middle. */
const hasPairs = (text: string) => /[\ud800-\udfff]/.test(text);

function lengthOf(text: string): number {
  return hasPairs(text) ? Array.from(text).length : text.length;
}

function sliceOf(text: string, from: number, to: number): string {
  return hasPairs(text) ? Array.from(text).slice(from, to).join('') : text.slice(from, to);
}

/** The characters `from` to before `to`. */
function cut(spans: readonly Span[], from: number, to: number): Span[] {
  let at = 0;
  return spans.flatMap(({ text, look }) => {
    const piece = sliceOf(text, Math.max(0, from - at), Math.max(0, to - at));
    at += lengthOf(text);
    return piece === '' ? [] : [{ text: piece, look }];
  });
}

function lookAfter(parameters: string, before: Look): Look {
  // Sub-parameters (`38:2::r:g:b`) have an empty one for a colour space.
  const numbers = parameters
    .replace(/([34]8):2:[^:;]*:(\d+:\d+:\d+)/g, '$1:2:$2')
    .replace(/4:0/g, '24')
    .replace(/4:\d/g, '4')
    .split(/[;:]/)
    .map(Number);
  let look = before;
  for (let i = 0; i < numbers.length; i += 1) {
    const code = numbers[i] ?? 0;
    if (code === 38 || code === 48) {
      const { colour, taken } = colourIn(numbers, i + 1);
      i += taken;
      if (colour !== undefined) {
        look = code === 38 ? { ...look, text: colour } : { ...look, ground: colour };
      }
    } else look = lookWith(code, look);
  }
  return look;
}

function colourIn(
  numbers: readonly number[],
  at: number,
): { colour: Colour | undefined; taken: number } {
  const isByte = (n: number | undefined): n is number => n !== undefined && n >= 0 && n <= 255;
  const [kind, a, b, c] = numbers.slice(at, at + 4);
  if (kind === 5) return { colour: isByte(a) ? a : undefined, taken: 2 };
  if (kind === 2) {
    return { colour: isByte(a) && isByte(b) && isByte(c) ? [a, b, c] : undefined, taken: 4 };
  }
  return { colour: undefined, taken: 0 };
}

function lookWith(code: number, look: Look): Look {
  if (code === 0) return look.link === undefined ? PLAIN : { link: look.link };
  if (code >= 30 && code <= 37) return { ...look, text: code - 30 };
  if (code >= 40 && code <= 47) return { ...look, ground: code - 40 };
  if (code >= 90 && code <= 97) return { ...look, text: code - 90 + 8 };
  if (code >= 100 && code <= 107) return { ...look, ground: code - 100 + 8 };
  const change = CHANGES[code];
  return change === undefined ? look : { ...look, ...change };
}

const CHANGES: Readonly<Record<number, Look>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { text: undefined },
  49: { ground: undefined },
};

/** `8;parameters;address` begins a link, and without an address ends it. */
function linked(words: string, look: Look): Look {
  const [, address] = /^8;[^;]*;(.*)$/s.exec(words) ?? [];
  if (address === undefined) return look;
  const { link: _, ...rest } = look;
  return isWeb(address) ? { ...rest, link: address } : rest;
}

function isWeb(address: string): boolean {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return false;
  return ['http:', 'https:'].includes(new URL(address).protocol);
}
