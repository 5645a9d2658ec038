import { atOnce } from '../concurrency/turns.ts';
import { BadRequestError, messageOf } from '../errors.ts';
import { JSON_HINT, type JsonLimits, JsonReader, tooDeep, tooManyNodes } from './jsonReader.ts';
import { ExactNumber, type JsonObject, type JsonValue } from './jsonValue.ts';

export { ExactNumber, type JsonObject, type JsonValue } from './jsonValue.ts';

/** Deeper than any request needs; keeps recursive readers and writers off the end of the stack. */
export const MAX_JSON_DEPTH = 500;

// Numbers whose digits or exponent may not survive a trip through a JavaScript number. In JSON a number stands first, or
// behind a comma, a bracket or a name: so the times in a record's strings do not count.
const RISKY_NUMBERS = /(?:^|[,[]|"\s*:)\s*(-?(?:\d{16}|\d+[.eE])[\d.eE+-]*)/g;

// None is in a text without one of these, which are found faster.
const RISKY_DIGITS = /\d(?:[.eE]|\d{15})/;

/** Those of what this program has written itself. */
const OWN_LIMITS: JsonLimits = {
  maxNodes: Number.POSITIVE_INFINITY,
  maxDepth: MAX_JSON_DEPTH,
  maxNumberLength: Number.POSITIVE_INFINITY,
};

/**
 * Parses JSON without losing the text of numbers.
 * @throws BadRequestError saying where the text stops being JSON; PmanError payload_too_large for too many values
 */
export function parseJson(text: string, limits = OWN_LIMITS): JsonValue {
  // First: a parser takes seconds and a hundred bytes of memory for each of millions of brackets.
  requireFewValues(text, limits);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new BadRequestError(`the body is not JSON: ${messageOf(error)}`, {
      hint: JSON_HINT,
      cause: error,
    });
  }
  if (hasPlainNumbers(text)) return value;
  return atOnce(new JsonReader(Buffer.from(text), limits).steps());
}

/**
 * Whether JavaScript writes each number of a JSON text as it stands there, as it does those of most records. What looks like
 * another one may be in a string.
 */
function hasPlainNumbers(text: string): boolean {
  if (!RISKY_DIGITS.test(text)) return true;
  for (const [, number = ''] of text.matchAll(RISKY_NUMBERS)) {
    if (String(Number(number)) !== number) return false;
  }
  return true;
}

/**
 * Counts levels and values. Each value but the first one stands behind a comma or a bracket.
 * @throws BadRequestError for too many levels; PmanError payload_too_large for too many values
 */
export function requireFewValues(text: string, { maxDepth, maxNodes }: JsonLimits): void {
  if (text.length <= 2 * maxDepth && text.length <= maxNodes) return;
  let depth = 0;
  let nodes = 1;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 0x5c) i += 1;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x2c) nodes += 1;
    else if (char === 0x7b || char === 0x5b) {
      depth += 1;
      nodes += 1;
      if (depth > maxDepth) throw tooDeep(maxDepth);
    } else if (char === 0x7d || char === 0x5d) depth -= 1;
    if (nodes > maxNodes) throw tooManyNodes(maxNodes);
  }
}

/** Whether a value is a JSON object (not null, not an array, not a number kept as text). */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof ExactNumber)
  );
}

/** Truth as Python sees it: the contract's "truthy" (protocol a.5). */
export function isTruthy(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (value instanceof ExactNumber) return Number(value.text) !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return Boolean(value);
}

/**
 * Equality as Python's `==` on parsed JSON: typed (the string "1" is not 1), but True == 1 and 1 == 1.0
 * (protocol a.7).
 */
export function jsonEquals(a: JsonValue, b: JsonValue): boolean {
  if (typeof a === 'string' || typeof b === 'string' || a === null || b === null) return a === b;
  const left = numeric(a);
  const right = numeric(b);
  if (left !== undefined || right !== undefined) return sameNumber(left, right);
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item: JsonValue, i) => jsonEquals(item, b[i] as JsonValue))
    );
  }
  const first = a as JsonObject;
  const second = b as JsonObject;
  const keys = Object.keys(first);
  return (
    keys.length === Object.keys(second).length &&
    keys.every(
      (key) =>
        Object.hasOwn(second, key) && jsonEquals(first[key] as JsonValue, second[key] as JsonValue),
    )
  );
}

/** A float may be an integer beyond those of which each has a double of its own: 1e21. */
function sameNumber(a: number | bigint | undefined, b: number | bigint | undefined): boolean {
  if (typeof a === 'number' && typeof b === 'bigint') return Number.isInteger(a) && BigInt(a) === b;
  return typeof a === 'bigint' && typeof b === 'number' ? sameNumber(b, a) : a === b;
}

/** The value of a number: bigint for integers that no double holds exactly. */
function numeric(value: JsonValue): number | bigint | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return value;
  if (!(value instanceof ExactNumber)) return undefined;
  const number = Number(value.text);
  return /^-?\d+$/.test(value.text) && !Number.isSafeInteger(number) ? BigInt(value.text) : number;
}

/** Shorter strings are what any record has. */
const LONG_STRING = 1000;

/** How many characters the long strings in a JSON value have: about what outputs take in memory. */
export function charsIn(value: JsonValue): number {
  if (typeof value === 'string') return value.length < LONG_STRING ? 0 : value.length;
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return 0;
  let chars = 0;
  for (const member of Object.values(value)) chars += charsIn(member);
  return chars;
}

/** What a value takes in an answer beside its characters: quotes, a comma, an indented line of its own. */
export const COST_OF_VALUE = 24;

/** About how many characters a JSON value takes in an answer. */
export function answerLength(value: JsonValue): number {
  if (typeof value === 'string') return COST_OF_VALUE + value.length;
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) {
    return COST_OF_VALUE;
  }
  let length = COST_OF_VALUE;
  const isArray = Array.isArray(value);
  for (const [name, member] of Object.entries(value as JsonObject)) {
    length += (isArray ? 0 : name.length) + answerLength(member);
  }
  return length;
}

/** Whether a JSON value has more characters in its names and texts, or more values, than it may. */
export function isLargerThan(
  value: JsonValue,
  { maxCharacters, maxValues }: { readonly maxCharacters: number; readonly maxValues: number },
): boolean {
  let characters = 0;
  let values = 0;
  const waiting: JsonValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    values += 1;
    if (typeof next === 'string') characters += next.length;
    else if (Array.isArray(next)) {
      if (next.length > maxValues) return true;
      waiting.push(...next);
    } else if (isJsonObject(next)) {
      for (const name of Object.keys(next)) {
        characters += name.length;
        waiting.push(next[name] ?? null);
        if (waiting.length > maxValues) return true;
      }
    }
    if (characters > maxCharacters || values > maxValues) return true;
  }
  return false;
}
