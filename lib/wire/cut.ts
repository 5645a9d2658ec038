import { COST_OF_VALUE, isJsonObject, type JsonValue } from './json.ts';
import { NON_ASCII } from './pythonJson.ts';

/**
 * How much of what was sent is sent back, in characters. The original never answered a request of more than 8192 bytes;
 * what is longer need not travel back three times.
 */
export const ECHO_LIMIT = 65_536;

/** Outside ASCII a character is written as `\uXXXX`: in long texts that counts. */
const ESCAPED_LENGTH = 6;

/** A text as it is echoed: of a long one the beginning, and how much is left out. */
export function cutText(text: string, limit = ECHO_LIMIT): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… [${text.length - kept.length} more characters]`;
}

/**
 * A JSON value as it is echoed: the same when it is short; else as much of it as comes first, with notes of what is left
 * out in the places of texts, items and members.
 */
export function cutJson(value: JsonValue, limit = ECHO_LIMIT): JsonValue {
  return new Cutter(limit).cut(value);
}

class Cutter {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  cut(value: JsonValue): JsonValue {
    this.#left -= COST_OF_VALUE;
    if (typeof value === 'string') {
      const width = value.length > ECHO_LIMIT && NON_ASCII.test(value) ? ESCAPED_LENGTH : 1;
      const shown = cutText(value, Math.max(Math.floor(this.#left / width), 0));
      this.#left -= value.length * width;
      return shown;
    }
    if (Array.isArray(value)) return this.#cutArray(value);
    if (!isJsonObject(value)) return value;
    const names = Object.keys(value);
    const kept: [string, JsonValue][] = [];
    let isCut = false;
    for (const name of names) {
      if (this.#left <= 0) {
        kept.push(['…', `[${names.length - kept.length} more members]`]);
        isCut = true;
        break;
      }
      this.#left -= name.length;
      const member = value[name] ?? null;
      const shown = this.cut(member);
      isCut ||= shown !== member;
      kept.push([cutText(name), shown]);
    }
    return isCut || this.#left < 0 ? Object.fromEntries(kept) : value;
  }

  #cutArray(values: readonly JsonValue[]): JsonValue {
    const kept: JsonValue[] = [];
    for (const value of values) {
      if (this.#left <= 0) {
        kept.push(`… [${values.length - kept.length} more values]`);
        break;
      }
      kept.push(this.cut(value));
    }
    return kept.every((item, i) => item === values[i]) && kept.length === values.length
      ? values
      : kept;
  }
}
