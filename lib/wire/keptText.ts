import { isLargerThan, type JsonObject } from './json.ts';

/** A longer text takes its time to write, and room to keep. */
const SHORT = { maxCharacters: 16 * 1024, maxValues: 500 } as const;

/** The text of each, once it was written. */
const texts = new WeakMap<object, { text: string | undefined }>();

/**
 * Has the text of a value kept, for as long as the value is there: it never changes, and is sent again and again. A value whose text
 * would be long is left as it is.
 */
export function keepText(value: JsonObject): void {
  if (!isLargerThan(value, SHORT)) texts.set(value, { text: undefined });
}

/** Whether its text is kept, and so is short. */
export function isTextKept(value: unknown): boolean {
  return typeof value === 'object' && value !== null && texts.has(value);
}

/** What `write` makes of a value; of one whose text is kept, once. There is one `write` for all values. */
export function textOnce(value: unknown, write: (value: unknown) => string): string {
  const kept = typeof value === 'object' && value !== null ? texts.get(value) : undefined;
  if (kept === undefined) return write(value);
  kept.text ??= write(value);
  return kept.text;
}
