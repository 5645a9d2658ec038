const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** The value of a JSON text, or undefined when the text is none. */
export function parseJsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * A JSON text with other white space: one line with `, ` and `: ` as Python writes it, or with
 * `indent` blanks a level. Works on the text, so the order of keys and the spelling of numbers
 * (`1.0`, long integers) stay as they came. The text must be JSON.
 */
export function reformatJson(text: string, indent = 0): string {
  let out = '';
  let depth = 0;
  let opened = false;
  const newLine = () => (indent > 0 ? `\n${' '.repeat(indent * depth)}` : '');
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.trim() === '') continue;
    if (token === '}' || token === ']') {
      depth -= 1;
      out += opened ? token : newLine() + token;
      opened = false;
      continue;
    }
    if (opened) out += newLine();
    opened = token === '{' || token === '[';
    if (opened) {
      depth += 1;
      out += token;
    } else if (token === ',') out += indent > 0 ? `,${newLine()}` : ', ';
    else if (token === ':') out += ': ';
    else out += token;
  }
  return out;
}
