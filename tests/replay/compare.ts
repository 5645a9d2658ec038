import { isDeepStrictEqual } from 'node:util';
import { agrees } from './placeholders.ts';

/** One point in which an answer is not as recorded. */
export interface Difference {
  /** Where: `statusCode`, `body.d_ret.l_status[0]`, `effect.file removed`. */
  readonly at: string;
  /** Undefined: the recording has nothing there. */
  readonly recorded: unknown;
  /** Undefined: the answer has nothing there. */
  readonly actual: unknown;
}

/** Every point in which two JSON values differ, as deep as it can be told. Order of keys is not looked at. */
export function compare(recorded: unknown, actual: unknown, at: string): Difference[] {
  const here: Difference = { at, recorded, actual };
  if (typeof recorded === 'string') return agrees(recorded, actual) ? [] : [here];
  if (Array.isArray(recorded)) {
    if (!Array.isArray(actual) || actual.length !== recorded.length) return [here];
    return recorded.flatMap((item, i) => compare(item, actual[i], `${at}[${i}]`));
  }
  if (isRecord(recorded) && isRecord(actual)) return compareRecords(recorded, actual, at);
  return isDeepStrictEqual(recorded, actual) ? [] : [here];
}

type JsonRecord = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compareRecords(recorded: JsonRecord, actual: JsonRecord, at: string): Difference[] {
  const found: Difference[] = [];
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(actual)])) {
    const place = `${at}.${key}`;
    if (!Object.hasOwn(actual, key)) {
      found.push({ at: place, recorded: recorded[key], actual: undefined });
    } else if (!Object.hasOwn(recorded, key)) {
      found.push({ at: place, recorded: undefined, actual: actual[key] });
    } else {
      found.push(...compare(recorded[key], actual[key], place));
    }
  }
  return found;
}

/** Keys that both have, in another order. */
export function compareOrder(recorded: unknown, actual: unknown, at: string): Difference[] {
  if (!isRecord(recorded) || !isRecord(actual)) return [];
  const wanted = Object.keys(recorded).filter((key) => Object.hasOwn(actual, key));
  const got = Object.keys(actual).filter((key) => Object.hasOwn(recorded, key));
  if (isDeepStrictEqual(wanted, got)) return [];
  return [{ at: `${at} (order of keys)`, recorded: wanted.join(' '), actual: got.join(' ') }];
}

/** A difference as a line for the reader of a failed test. */
export function describeDifference({ at, recorded, actual }: Difference): string {
  const show = (value: unknown) => {
    const text = value === undefined ? 'nothing' : JSON.stringify(value);
    return text.length > 200 ? `${text.slice(0, 197)}...` : text;
  };
  return `${at}: the original said ${show(recorded)}, this one ${show(actual)}`;
}
