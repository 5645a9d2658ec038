import { isAscii, isUtf8 } from 'node:buffer';
import { Queue } from '../concurrency/queue.ts';
import type { Soon } from '../concurrency/soon.ts';
import { inTurns } from '../concurrency/turns.ts';
import { type JsonValue, parseJson } from './json.ts';
import { type JsonLimits, JsonReader } from './jsonReader.ts';

/** What a request may have in its body (protocol a.3); no request of a real client comes near. */
export const REQUEST_LIMITS: JsonLimits = {
  maxNodes: 100_000,
  maxDepth: 500,
  maxNumberLength: 4300,
};

/** The body of a request. */
export interface Payload {
  /** Its beginning, as a text; all of it where it is short. */
  readonly beginning: string;
  /** How many characters the whole has, as Python counts them. */
  readonly characters: number;
  /** Whether there is nothing, or nothing but blanks. */
  readonly isBlank: boolean;
  /** @throws BadRequestError for what is no JSON; PmanError payload_too_large for too many values */
  json(): Soon<JsonValue>;
}

/** Bodies up to here are read at once: that takes a few milliseconds. */
const SHORT_BYTES = 256 * 1024;
/** How much of a long body is held as text, for the echo. */
const BEGINNING_BYTES = 256 * 1024;

/** Of long bodies one at a time is read, so that many of them delay others no more than one does. */
const longBodies = new Queue(1);

/** The body of a request, without the end of its last line; undefined when it is no UTF-8. */
export function readPayload(body: Buffer): Soon<Payload | undefined> {
  if (!isUtf8(body)) return undefined;
  const bytes = withoutLineEnd(body);
  if (bytes.length <= SHORT_BYTES) return payloadOf(bytes.toString());
  return longBodies.run(async () => ({
    beginning: beginningOf(bytes),
    characters: isAscii(bytes) ? bytes.length : await inTurns(characters(bytes)),
    isBlank: false,
    json: () => longBodies.run(() => inTurns(new JsonReader(bytes, REQUEST_LIMITS).steps())),
  }));
}

/** A payload of so little text that it is parsed at once. */
export function payloadOf(text: string): Payload {
  return {
    beginning: text,
    characters: characterCount(text),
    isBlank: text.trim() === '',
    json: () => parseJson(text, REQUEST_LIMITS),
  };
}

/** The length of a text as Python counts it. */
export function characterCount(text: string): number {
  const pairs = text.match(/[\ud800-\udbff][\udc00-\udfff]/g);
  return text.length - (pairs?.length ?? 0);
}

function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

function beginningOf(bytes: Buffer): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(bytes.subarray(0, BEGINNING_BYTES), { stream: true });
}

/** Every byte of UTF-8 begins a character, except those of the form 10xxxxxx. */
function* characters(bytes: Buffer): Generator<void, number, void> {
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    for (const until = Math.min(at + SHORT_BYTES, bytes.length); at < until; at += 1) {
      if (((bytes[at] ?? 0) & 0xc0) !== 0x80) count += 1;
    }
    yield;
  }
  return count;
}
