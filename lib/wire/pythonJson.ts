import { ExactNumber } from './json.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII without DEL, which Python escapes
const NON_ASCII = /[^\x00-\x7e]/;
const EVERY_NON_ASCII = /[\u007f-\uffff]/g;

/**
 * JSON text as Python's `json.dumps` writes it: ASCII only, everything else as `\uXXXX` (surrogate
 * pairs for what lies above U+FFFF), `", "` and `": "` between items, or one item a line when `indent`
 * (blanks a level) is given. The original answers with indent 4 and stores leaves without. What JSON
 * does not know is null, and left out of an object.
 */
export function dumps(value: unknown, indent?: number): string {
  return indent === undefined ? flat(value) : indented(value, ' '.repeat(indent), '\n', asTheyAre);
}

/** The same with the keys of every object in order, as with `sort_keys=True`. */
export function dumpsSorted(value: unknown, indent: number): string {
  return indented(value, ' '.repeat(indent), '\n', inOrder);
}

type Entries = readonly (readonly [string, unknown])[];

const asTheyAre = (value: object): Entries => Object.entries(value);
const inOrder = (value: object): Entries =>
  Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));

function flat(value: unknown): string {
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

function indented(
  value: unknown,
  step: string,
  lineStart: string,
  entriesOf: (value: object) => Entries,
): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (value instanceof ExactNumber) return value.text;
  const inner = lineStart + step;
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) {
      text += `${text === '' ? '' : ','}${inner}${indented(item, step, inner, entriesOf)}`;
    }
    return text === '' ? '[]' : `[${text}${lineStart}]`;
  }
  for (const [key, item] of entriesOf(value)) {
    if (item === undefined) continue;
    text += `${text === '' ? '' : ','}${inner}${quote(key)}: ${indented(item, step, inner, entriesOf)}`;
  }
  return text === '' ? '{}' : `{${text}${lineStart}}`;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return 'null';
}

/** A JSON text with everything outside ASCII as `\uXXXX`. */
export function asciiJson(text: string): string {
  return NON_ASCII.test(text)
    ? text.replace(
        EVERY_NON_ASCII,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : text;
}

function quote(text: string): string {
  return asciiJson(JSON.stringify(text));
}
