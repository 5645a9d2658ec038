import { isAscii } from 'node:buffer';
import { BadRequestError, PmanError } from '../errors.ts';
import { ExactNumber, type JsonValue } from './jsonValue.ts';

/** Bounds on a JSON text. */
export interface JsonLimits {
  /** Values in it, objects and arrays included: what it costs is theirs, not that of its bytes. */
  readonly maxNodes: number;
  readonly maxDepth: number;
  /** Characters of one number. To compare integers takes the square of their length. */
  readonly maxNumberLength: number;
}

/** What the refusal of a text that is no JSON says after its reason. */
export const JSON_HINT =
  'send one JSON object: {"payload": {"action": "hello", "meta": {"askAbout": "timestamp"}}}';

export function tooManyNodes(maxNodes: number): PmanError {
  return new PmanError('payload_too_large', `the body has more than ${maxNodes} JSON values`, {
    hint: 'send long data as text in one value, or in a file',
  });
}

export function tooDeep(maxDepth: number): BadRequestError {
  return new BadRequestError(`the body nests deeper than ${maxDepth} levels`);
}

/** After so many values or bytes a reader offers a pause. */
const STEP_NODES = 500;
const STEP_BYTES = 256 * 1024;

/** A JSON object or array of which the end has not come. */
type Open =
  | { readonly kind: 'array'; readonly value: JsonValue[] }
  | { readonly kind: 'object'; readonly value: Record<string, JsonValue>; key: string };

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/**
 * Reads JSON in UTF-8 in steps, and stops at the first value too many: what it refuses it has not built. Numbers keep their
 * text. Of several members of one name the last one wins, as in Python.
 */
export class JsonReader {
  readonly #bytes: Buffer;
  readonly #limits: JsonLimits;
  #at = 0;
  #nodes = 0;

  /** @param bytes valid UTF-8 */
  constructor(bytes: Buffer, limits: JsonLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** @throws BadRequestError saying where the bytes stop being JSON; PmanError payload_too_large */
  *steps(): Generator<void, JsonValue, void> {
    const open: Open[] = [];
    for (let pausedAt = 0; ; ) {
      if (this.#nodes % STEP_NODES === 0 || this.#at - pausedAt > STEP_BYTES) {
        pausedAt = this.#at;
        yield;
      }
      yield* this.#blanks();
      let value: JsonValue;
      const first = this.#bytes[this.#at];
      this.#nodes += 1;
      if (this.#nodes > this.#limits.maxNodes) throw tooManyNodes(this.#limits.maxNodes);
      if (first === 0x7b || first === 0x5b) {
        if (open.length >= this.#limits.maxDepth) throw tooDeep(this.#limits.maxDepth);
        this.#at += 1;
        yield* this.#blanks();
        const opened: Open =
          first === 0x5b ? { kind: 'array', value: [] } : { kind: 'object', value: {}, key: '' };
        if (!this.#takes(opened.kind === 'array' ? 0x5d : 0x7d)) {
          if (opened.kind === 'object') opened.key = yield* this.#key();
          open.push(opened);
          continue;
        }
        value = opened.value;
      } else value = first === 0x22 ? yield* this.#string() : this.#scalar();
      for (;;) {
        const inner = open.at(-1);
        yield* this.#blanks();
        if (inner === undefined) {
          if (this.#at < this.#bytes.length) throw this.#fault('there is more behind the value');
          return value;
        }
        put(inner, value);
        if (this.#takes(0x2c)) {
          if (inner.kind === 'object') {
            yield* this.#blanks();
            inner.key = yield* this.#key();
          }
          break;
        }
        const end = inner.kind === 'array' ? ']' : '}';
        if (!this.#takes(end.charCodeAt(0))) throw this.#fault(`"," or "${end}" is missing`);
        open.pop();
        value = inner.value;
      }
    }
  }

  *#blanks(): Generator<void, void, void> {
    for (let until = this.#at + STEP_BYTES; ; this.#at += 1) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      if (this.#at < until) continue;
      until += STEP_BYTES;
      yield;
    }
  }

  #takes(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  *#key(): Generator<void, string, void> {
    if (this.#bytes[this.#at] !== 0x22) throw this.#fault('a name in quotes is missing');
    const key = yield* this.#string();
    yield* this.#blanks();
    if (!this.#takes(0x3a)) throw this.#fault('":" is missing');
    return key;
  }

  *#string(): Generator<void, string, void> {
    const start = this.#at + 1;
    /** Where the text may be cut: before escapes, a step apart. */
    const cuts = [start];
    let escaped = false;
    let at = start;
    for (let until = start + STEP_BYTES; ; at += 1) {
      const byte = this.#bytes[at];
      if (byte === 0x22) break;
      if (byte === undefined || byte < 0x20) {
        this.#at = at;
        throw this.#fault(byte === undefined ? 'a text does not end' : 'a control character');
      }
      if (byte === 0x5c) {
        escaped = true;
        if (at - (cuts.at(-1) ?? 0) > STEP_BYTES) cuts.push(at);
        at += 1;
      }
      if (at < until) continue;
      until = at + STEP_BYTES;
      yield;
    }
    cuts.push(at);
    let text = '';
    for (let i = 1; i < cuts.length; i += 1) {
      if (i > 1) yield;
      const piece = yield* decoded(this.#bytes.subarray(cuts[i - 1], cuts[i]));
      text += escaped ? this.#unescaped(piece) : piece;
    }
    this.#at = at + 1;
    return text;
  }

  #unescaped(text: string): string {
    try {
      return JSON.parse(`"${text}"`) as string;
    } catch {
      // A SyntaxError: nothing else can be wrong with it.
      throw this.#fault('an escape that JSON does not know');
    }
  }

  #scalar(): JsonValue {
    for (const [word, value] of LITERALS) {
      if (this.#bytes.toString('latin1', this.#at, this.#at + word.length) !== word) continue;
      this.#at += word.length;
      return value;
    }
    let end = this.#at;
    const longest = this.#at + this.#limits.maxNumberLength;
    while (isOfNumber(this.#bytes[end])) {
      end += 1;
      if (end <= longest) continue;
      const message = `the body has a number of more than ${this.#limits.maxNumberLength} characters`;
      throw new BadRequestError(message);
    }
    const text = this.#bytes.toString('latin1', this.#at, end);
    if (!NUMBER.test(text)) throw this.#fault('a value is missing');
    this.#at = end;
    const number = Number(text);
    return String(number) === text ? number : new ExactNumber(text);
  }

  #fault(what: string): BadRequestError {
    return new BadRequestError(`the body is not JSON: ${what} at byte ${this.#at}`, {
      hint: JSON_HINT,
    });
  }
}

function put(open: Open, value: JsonValue): void {
  if (open.kind === 'array') open.value.push(value);
  else if (open.key !== '__proto__') open.value[open.key] = value;
  else {
    const own = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(open.value, open.key, own);
  }
}

function isOfNumber(byte = 0): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  );
}

function* decoded(bytes: Buffer): Generator<void, string, void> {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (bytes.length <= STEP_BYTES) return bytes.toString('utf8');
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    pieces.push(decoder.decode(bytes.subarray(at, at + STEP_BYTES), { stream: true }));
    yield;
  }
  return pieces.join('');
}
