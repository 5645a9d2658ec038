import { ExactNumber, type JsonValue } from './json.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII without DEL, which Python escapes
const NON_ASCII = /[^\x00-\x7e]/;
const EVERY_NON_ASCII = /[\u007f-\uffff]/g;

/**
 * JSON text as Python's `json.dumps` writes it: ASCII only, everything else as `\uXXXX` (surrogate
 * pairs for what lies above U+FFFF), `", "` and `": "` between items, or one item a line when `indent`
 * (blanks a level) is given. The original answers with indent 4 and stores leaves without.
 */
export function dumps(value: JsonValue | undefined, indent?: number): string {
  return indent === undefined ? flat(value) : indented(value, ' '.repeat(indent), '\n');
}

function flat(value: JsonValue | undefined): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(flat).join(', ')}]`;
  let text = '';
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    text += `${text === '' ? '' : ', '}${quote(key)}: ${flat(item)}`;
  }
  return `{${text}}`;
}

function indented(value: JsonValue | undefined, step: string, lineStart: string): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (value instanceof ExactNumber) return value.text;
  const inner = lineStart + step;
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) {
      text += `${text === '' ? '' : ','}${inner}${indented(item, step, inner)}`;
    }
    return text === '' ? '[]' : `[${text}${lineStart}]`;
  }
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    text += `${text === '' ? '' : ','}${inner}${quote(key)}: ${indented(item, step, inner)}`;
  }
  return text === '' ? '{}' : `{${text}${lineStart}}`;
}

function scalar(value: null | boolean | number | string | undefined): string {
  if (typeof value === 'string') return quote(value);
  if (value === undefined || value === null) return 'null';
  return String(value);
}

function quote(text: string): string {
  const quoted = JSON.stringify(text);
  return NON_ASCII.test(quoted)
    ? quoted.replace(
        EVERY_NON_ASCII,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : quoted;
}
