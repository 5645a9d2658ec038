/** What a text in a form cannot mean, said of the field that it is in. */
export class FieldError extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

// A line of its own, a blank at an end, and what nobody sees are told in quotes.
const QUOTED = /^["\s]|\s$|[\p{Cc}\p{Zl}\p{Zp}]/u;
const ONE_NAME = /^\s*("(?:[^"\\]|\\.)*"|[^="][^=]*)\s*=(.*)$/s;

/** Names and values, a line each: `name=value`; as JSON texts, in quotes, where they would not come back as they are. */
export function pairLines(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${said(name, /^$|=/)}=${said(value)}`)
    .join('\n');
}

function said(text: string, also?: RegExp): string {
  return QUOTED.test(text) || also?.test(text) === true ? JSON.stringify(text) : text;
}

/**
 * What such lines say; empty ones say nothing. A value is all that stands behind the `=`, blanks too.
 * @throws FieldError for what is no pair, and for a name that is there twice
 */
export function pairsIn(field: string, text: string): Record<string, string> {
  const pairs = new Map<string, string>();
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  for (const line of lines) {
    const [, name = '', value = ''] = ONE_NAME.exec(line) ?? [];
    if (name === '') throw new FieldError(field, `${shown(line)} is not of the form name=value`);
    const key = meant(field, name.trim());
    if (pairs.has(key)) throw new FieldError(field, `${shown(key)} is there twice`);
    pairs.set(key, value.trimStart().startsWith('"') ? meant(field, value.trim()) : value);
  }
  return Object.fromEntries(pairs);
}

function meant(field: string, text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text);
  } catch {
    const message = `${shown(text)} begins with a quote, and is no text of JSON such as "a\\nb"`;
    throw new FieldError(field, message);
  }
}

const shown = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
