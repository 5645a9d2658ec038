import { visibleText } from './visibleText.ts';

/** What is looked for: a text as it is, or a regular expression. */
export type Wanted = {
  /** Whether capital and small letters are one. */
  readonly ignoreCase: boolean;
} & ({ readonly text: string } | { readonly regex: string });

/** Where in a text something is: from a character to before another, as JavaScript counts them. */
export type TextRange = readonly [from: number, to: number];

const ESCAPE = 0x1b;
const ASCII = /^[\0-\x7f]*$/;

/** What lines are held to. What a terminal would not show, such as colours, does not count. */
export class Pattern {
  readonly #expression: RegExp;
  /** Tells quickly of most blocks that there is nothing in them. */
  readonly #isIn: (block: Buffer) => boolean;

  /** @throws SyntaxError for an expression that is none */
  constructor(wanted: Wanted) {
    const { ignoreCase } = wanted;
    this.#isIn = () => true;
    if ('regex' in wanted) {
      this.#expression = expressionOf(wanted.regex, ignoreCase);
      return;
    }
    const { text } = wanted;
    const isAscii = ASCII.test(text);
    const source = text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    // With `u` an s would also be the long s, which bytes of ASCII do not tell.
    const expression = new RegExp(source, ignoreCase ? (isAscii ? 'i' : 'iu') : '');
    this.#expression = expression;
    const bytes = Buffer.from(text);
    if (!ignoreCase) this.#isIn = (block) => block.includes(bytes);
    else if (isAscii) this.#isIn = (block) => expression.test(block.toString('latin1'));
  }

  /** Whether a line of this block may fit. */
  mayBeIn(block: Buffer): boolean {
    return this.#isIn(block) || block.includes(ESCAPE);
  }

  /**
   * Where a line has it first, in the text that a terminal would show; undefined: nowhere. It does not look further: an
   * expression that is quick up to here may be slow behind it.
   */
  find(line: Buffer): TextRange | undefined {
    const isPlain = !line.includes(ESCAPE);
    if (isPlain && !this.#isIn(line)) return undefined;
    const text = line.toString();
    const match = this.#expression.exec(isPlain ? text : visibleText(text));
    return match === null ? undefined : [match.index, match.index + match[0].length];
  }
}

/** By the rules of Unicode where it keeps to them; they are stricter. */
function expressionOf(source: string, ignoreCase: boolean): RegExp {
  const flags = ignoreCase ? 'i' : '';
  try {
    return new RegExp(source, `${flags}u`);
  } catch {
    return new RegExp(source, flags);
  }
}
