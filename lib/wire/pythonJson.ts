import { ExactNumber } from './json.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII without DEL, which Python escapes
export const NON_ASCII = /[^\x00-\x7e]/;
const EVERY_NON_ASCII = /[\u007f-\uffff]/g;

/**
 * JSON text as Python's `json.dumps` writes it: ASCII only, everything else as `\uXXXX` (surrogate
 * pairs for what lies above U+FFFF), `", "` and `": "` between items, or one item a line when `indent`
 * (blanks a level) is given. The original answers with indent 4 and stores leaves without. What JSON
 * does not know is null, and left out of an object. A `Map` is written as an object, with an indent
 * by `dumpsInSteps` alone: one of very many members is made and read a member at a time, so that others get their turns.
 */
export function dumps(value: unknown, indent?: number): string {
  if (indent === undefined) return flat(value);
  // With an indent both write the same, but for characters outside ASCII and numbers that have to stay as they came.
  const before = ExactNumber.roundedCount;
  const text = JSON.stringify(value, null, indent) as string | undefined;
  if (text !== undefined && ExactNumber.roundedCount === before) return asciiJson(text);
  return indented(value, ' '.repeat(indent), '\n', asTheyAre);
}

/** The same with the keys of every object in order, as with `sort_keys=True`. */
export function dumpsSorted(value: unknown, indent: number): string {
  return indented(value, ' '.repeat(indent), '\n', inOrder);
}

/** Values that lie deeper than this are written in one step: in an answer, what is told of one job. */
const STEP_DEPTH = 3;
/** About how much of a text is written in one step, in characters. */
const STEP_CHARACTERS = 64 * 1024;

/** As `dumps`, in steps; gives the bytes, which are all ASCII. */
export function* dumpsInSteps(value: unknown, indent?: number): Generator<void, Buffer, void> {
  const step = indent === undefined ? undefined : ' '.repeat(indent);
  const pieces: Buffer[] = [];
  let text = '';
  function* write(part: unknown, lineStart: string, depth: number): Generator<void, void, void> {
    if (depth > STEP_DEPTH || typeof part !== 'object' || part === null) {
      text += step === undefined ? flat(part) : indented(part, step, lineStart, asTheyAre);
    } else if (part instanceof ExactNumber) text += part.text;
    else {
      const isArray = Array.isArray(part);
      const inner = step === undefined ? '' : lineStart + step;
      const comma = step === undefined ? ', ' : ',';
      let isEmpty = true;
      for (const [key, item] of asTheyAre(part)) {
        if (item === undefined && !isArray) continue;
        text += `${isEmpty ? (isArray ? '[' : '{') : comma}${inner}${isArray ? '' : `${quoted(key)}: `}`;
        isEmpty = false;
        yield* write(item, inner, depth + 1);
      }
      if (isEmpty) text += isArray ? '[]' : '{}';
      else text += `${step === undefined ? '' : lineStart}${isArray ? ']' : '}'}`;
    }
    if (text.length < STEP_CHARACTERS) return;
    pieces.push(Buffer.from(text, 'latin1'));
    text = '';
    yield;
  }
  yield* write(value, '\n', 0);
  pieces.push(Buffer.from(text, 'latin1'));
  return Buffer.concat(pieces);
}

type Entries = Iterable<readonly [string, unknown]>;

const asTheyAre = (value: object): Entries =>
  value instanceof Map ? (value as ReadonlyMap<string, unknown>) : Object.entries(value);
const inOrder = (value: object): Entries =>
  Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));

function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(flat).join(', ')}]`;
  let text = '';
  for (const [key, item] of asTheyAre(value)) {
    if (item === undefined) continue;
    text += `${text === '' ? '' : ', '}${quoted(key)}: ${flat(item)}`;
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
    text += `${text === '' ? '' : ','}${inner}${quoted(key)}: ${indented(item, step, inner, entriesOf)}`;
  }
  return text === '' ? '{}' : `{${text}${lineStart}}`;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return 'null';
}

/** Shorter texts are escaped by a regular expression, which is as fast there. */
const LONG_TEXT = 4096;
const HEX = Buffer.from('0123456789abcdef');

/** A JSON text with everything outside ASCII as `\uXXXX`. */
export function asciiJson(text: string): string {
  if (!NON_ASCII.test(text)) return text;
  if (text.length > LONG_TEXT) return asciiBytes(text);
  return text.replace(
    EVERY_NON_ASCII,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same a byte at a time: ten times as fast where much has to be escaped. */
function asciiBytes(text: string): string {
  let length = 0;
  for (let i = 0; i < text.length; i += 1) length += text.charCodeAt(i) < 0x7f ? 1 : 6;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  const put = (byte = 0) => {
    bytes[at] = byte;
    at += 1;
  };
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x7f) put(code);
    else {
      put(0x5c);
      put(0x75);
      for (let shift = 12; shift >= 0; shift -= 4) put(HEX[(code >> shift) & 15]);
    }
  }
  return bytes.toString('latin1');
}

/** Of these characters a JSON text is made as they are. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** The JSON text of a string. */
export function quoted(text: string): string {
  // Short names and words are as a rule.
  if (text.length < 64 && PLAIN.test(text)) return `"${text}"`;
  return asciiJson(JSON.stringify(text));
}
