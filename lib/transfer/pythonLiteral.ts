import { BadRequestError } from '../errors.ts';

/** What a Python literal can say that JSON can say too. */
export type Literal =
  | null
  | boolean
  | number
  | string
  | readonly Literal[]
  | { readonly [key: string]: Literal };

const MAX_DEPTH = 100;
const WORDS = new Map<string, Literal>([
  ['True', true],
  ['False', false],
  ['None', null],
  ['true', true],
  ['false', false],
  ['null', null],
]);
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*)?\.?\d+(?:[eE][+-]?\d+)?|\d+\.)/y;
const WORD = /[A-Za-z_]\w*/y;
const BLANK = /\s*/y;
const SIMPLE_ESCAPES = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
  ['a', '\x07'],
  ['0', '\0'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['/', '/'],
  ['\n', ''],
]);
const HEX_ESCAPES = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/**
 * Reads the `meta` of a transfer request: a Python literal of dictionaries, lists, tuples, strings,
 * numbers, True, False and None, as the original's clients send it, or JSON. It reads and never
 * evaluates; keys like `__proto__` become ordinary own keys.
 * @throws BadRequestError saying at which character the text stops making sense
 */
export function parsePythonLiteral(text: string): Literal {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Literal {
    if (depth > MAX_DEPTH) this.#fail(`nothing nested deeper than ${MAX_DEPTH} levels`);
    this.#match(BLANK);
    const char = this.#text[this.#at];
    if (char === '{') return this.#dictionary(depth);
    if (char === '[') return this.#sequence(']', depth);
    if (char === '(') return this.#sequence(')', depth);
    if (char === "'" || char === '"') return this.#string();
    const word = this.#match(WORD);
    if (word !== undefined) return this.#word(word);
    const digits = this.#match(NUMBER);
    if (digits === undefined) this.#fail('a value');
    const number = Number(digits.replaceAll('_', ''));
    if (Number.isNaN(number)) this.#fail('a number');
    return number;
  }

  end(): void {
    this.#match(BLANK);
    if (this.#at < this.#text.length) this.#fail('the end');
  }

  #word(word: string): Literal {
    const next = this.#text[this.#at];
    if (/^[rbu]$/i.test(word) && (next === "'" || next === '"')) {
      if (word.toLowerCase() === 'u') return this.#string();
      this.#fail('a string without prefix');
    }
    const value = WORDS.get(word);
    if (value === undefined) {
      this.#at -= word.length;
      this.#fail('a literal');
    }
    return value;
  }

  #dictionary(depth: number): Literal {
    const entries: [string, Literal][] = [];
    this.#at += 1;
    while (!this.#takes('}')) {
      const key = this.value(depth + 1);
      if (typeof key === 'object' && key !== null) this.#fail('a plain key');
      if (!this.#takes(':')) this.#fail("':'");
      entries.push([String(key), this.value(depth + 1)]);
      if (!this.#takes(',') && !this.#ahead('}')) this.#fail("',' or '}'");
    }
    return Object.fromEntries(entries);
  }

  #sequence(close: string, depth: number): Literal {
    const items: Literal[] = [];
    this.#at += 1;
    let commas = 0;
    while (!this.#takes(close)) {
      items.push(this.value(depth + 1));
      if (this.#takes(',')) commas += 1;
      else if (!this.#ahead(close)) this.#fail(`',' or '${close}'`);
    }
    const [first] = items;
    // Parentheses round a single value only group it.
    return close === ')' && commas === 0 && first !== undefined ? first : items;
  }

  #string(): string {
    const quote = this.#text[this.#at] ?? '';
    this.#at += 1;
    let out = '';
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) this.#fail(`the closing ${quote}`);
      this.#at += 1;
      if (char === quote) return out;
      out += char === '\\' ? this.#escape() : char;
    }
  }

  #escape(): string {
    const char = this.#text[this.#at] ?? '';
    this.#at += 1;
    const simple = SIMPLE_ESCAPES.get(char);
    if (simple !== undefined) return simple;
    const digits = HEX_ESCAPES.get(char);
    if (digits === undefined) return `\\${char}`; // Python keeps an unknown escape as it is.
    const hex = this.#text.slice(this.#at, this.#at + digits);
    const code = Number.parseInt(hex, 16);
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex) || code > 0x10ffff) {
      this.#fail(`${digits} hexadecimal digits`);
    }
    this.#at += digits;
    return digits === 4 ? String.fromCharCode(code) : String.fromCodePoint(code);
  }

  #takes(char: string): boolean {
    if (!this.#ahead(char)) return false;
    this.#at += 1;
    return true;
  }

  #ahead(char: string): boolean {
    this.#match(BLANK);
    return this.#text[this.#at] === char;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === '') return undefined;
    this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    throw new BadRequestError(
      `meta is neither a Python literal nor JSON: expected ${expected} at character ${this.#at}`,
      { hint: "for example {'remote': {'path': '/tmp'}, 'transport': {'checkRemote': True}}" },
    );
  }
}

// What Python's repr() escapes of the characters that the programs meet: controls, format characters,
// lone surrogates, separators other than the blank, private and unassigned code points.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** A value as Python's `repr()` writes it, the form in which `meta` travels in a query. */
export function formatPythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return formatString(value);
  if (Array.isArray(value)) return `[${value.map(formatPythonLiteral).join(', ')}]`;
  if (typeof value !== 'object') throw new TypeError(`no Python literal for a ${typeof value}`);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries.map(([k, v]) => `${formatString(k)}: ${formatPythonLiteral(v)}`).join(', ')}}`;
}

function formatString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = '';
  for (const char of text) out += formatCharacter(char, quote);
  return quote + out + quote;
}

function formatCharacter(char: string, quote: string): string {
  if (char === quote || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  if (char === '\r') return '\\r';
  if (char === '\t') return '\\t';
  if (!UNPRINTABLE.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
