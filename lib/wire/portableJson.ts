const LONE = /\\(?:\\|ud[89a-f][0-9a-f]{2})/g;

/**
 * JSON that every reader takes. A text of JavaScript may have half of a character of two (a lone surrogate), which many readers
 * refuse with all that is around it (RFC 8259, 8.2; RFC 7493, 2.1): it is told as U+FFFD.
 */
export function portableJson(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON.stringify escapes no other character of these.
  if (!text.includes('\\ud')) return text;
  return text.replace(LONE, (found) => (found.length === 2 ? found : '\ufffd'));
}
