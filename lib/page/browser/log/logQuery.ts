import type { FindQuery } from '../../../client/index.ts';

/** Where in the text of a line something was found: from a character to before another. */
export type TextRange = readonly [number, number];

/** What is looked for, as it was typed: a text, or an expression between slashes. */
export interface Query {
  readonly typed: string;
  readonly query: FindQuery;
  /** Finds it again in a line, to show where; undefined: only pman may look for it. */
  readonly expression: RegExp | undefined;
}

/**
 * `/a+b/i` is an expression; anything else is a text, for which capital letters count when it has any.
 * @returns undefined for nothing
 */
export function queryIn(typed: string): Query | undefined {
  if (typed === '') return undefined;
  const [, source, flags = ''] = /^\/(.+)\/(i?)$/.exec(typed) ?? [];
  if (source !== undefined) {
    const ignoreCase = flags === 'i';
    const query = { regex: source, ignoreCase };
    const expression = isQuick(source) ? expressionOf(source, ignoreCase) : undefined;
    return { typed, query, expression };
  }
  const ignoreCase = typed === typed.toLowerCase();
  const literal = typed.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return {
    typed,
    query: { text: typed, ignoreCase },
    expression: expressionOf(literal, ignoreCase),
  };
}

/**
 * Whether a text can be held to an expression in a time that grows with both alone. Whatever repeats, or has a choice, may
 * be tried in more ways than there is time for, and nothing in a page could end that.
 */
function isQuick(source: string): boolean {
  const withoutSets = source.replace(/\\[^\dk]/g, 'x').replace(/\[[^\]]*\]/g, 'x');
  return !/[*+?{|()\\[\]]/.test(withoutSets);
}

function expressionOf(source: string, ignoreCase: boolean): RegExp | undefined {
  try {
    return new RegExp(source, ignoreCase ? 'gi' : 'g');
  } catch {
    // The server says what is wrong with it, or knows more of expressions.
    return undefined;
  }
}

/** Where an expression fits a text. */
export function rangesIn(text: string, expression: RegExp | undefined): readonly TextRange[] {
  if (expression === undefined) return [];
  const ranges: TextRange[] = [];
  for (const match of text.matchAll(expression)) {
    if (match[0] !== '') ranges.push([match.index, match.index + match[0].length]);
  }
  return ranges;
}
