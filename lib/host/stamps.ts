const two = (n: number) => String(n).padStart(2, '0');

/** The second in local time, and its microseconds. */
function localParts(epochMs: number) {
  const epochMicros = Math.round(epochMs * 1000);
  const epochSeconds = Math.floor(epochMicros / 1_000_000);
  if (epochSeconds !== last.epochSeconds) last = { epochSeconds, ...partsOf(epochSeconds) };
  const micros = epochMicros - epochSeconds * 1_000_000;
  return { second: last, micros: String(micros).padStart(6, '0') };
}

/** Those of a second: many stamps are of the same one. */
function partsOf(epochSeconds: number) {
  const date = new Date(epochSeconds * 1000);
  const day = [String(date.getFullYear()), two(date.getMonth() + 1), two(date.getDate())];
  const time = [two(date.getHours()), two(date.getMinutes()), two(date.getSeconds())];
  return {
    compact: [...day, ...time].join(''),
    readable: `${day.join('-')} ${time.join(':')}`,
  };
}

let last = { epochSeconds: 0, ...partsOf(0) };

/** `YYYYMMDDhhmmss.ffffff`, local time (protocol a.7, b). `epochMs`: milliseconds since 1970, with fractions. */
export function compactStamp(epochMs: number): string {
  const { second, micros } = localParts(epochMs);
  return `${second.compact}.${micros}`;
}

/** `YYYY-MM-DD hh:mm:ss.ffffff`, local time (protocol b). */
export function readableStamp(epochMs: number): string {
  const { second, micros } = localParts(epochMs);
  return `${second.readable}.${micros}`;
}

/**
 * The time that a compact stamp, or the beginning of one, stands for: milliseconds since 1970, with fractions. What is missing
 * counts as the lowest. Of an hour that there is twice the first is meant.
 */
export function stampTime(stamp: string): number {
  const [digits = '', fraction = ''] = stamp.split('.');
  const at = (from: number, to: number, lowest = 0) =>
    Math.max(lowest, Number(digits.slice(from, to).padEnd(to - from, '0')));
  const date = new Date(0);
  date.setFullYear(at(0, 4), at(4, 6, 1) - 1, at(6, 8, 1));
  date.setHours(at(8, 10), at(10, 12), at(12, 14), 0);
  return date.getTime() + Number(fraction.padEnd(6, '0').slice(0, 6)) / 1000;
}

/** The time of a readable stamp, in milliseconds since 1970; undefined for another text. */
export function epochOfReadable(text: string): number | undefined {
  const isStamp = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{6}$/.test(text);
  return isStamp ? stampTime(text.replace(/[-: T]/g, '')) : undefined;
}

/**
 * The time that an engine of containers tells (RFC 3339), in milliseconds since 1970. Undefined for none, and for the
 * beginning of an era, which stands for none.
 */
export function timeIn(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return time > 0 ? time : undefined;
}
