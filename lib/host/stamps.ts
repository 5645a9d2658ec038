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

/** The places of year, month, day, hour, minute, second and microseconds in a whole stamp of either form. */
type Places = readonly [year: number, ...others: number[]];
const COMPACT: Places = [0, 4, 6, 8, 10, 12, 15];
const READABLE: Places = [0, 5, 8, 11, 14, 17, 20];
const IS_COMPACT = /^\d{14}\.\d{6}$/;
const IS_READABLE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{6}$/;

/**
 * The time that a compact stamp, or the beginning of one, stands for: milliseconds since 1970, with fractions. What is missing
 * counts as the lowest. Of an hour that there is twice the first is meant.
 */
export function stampTime(stamp: string): number {
  if (IS_COMPACT.test(stamp)) return wholeStampTime(stamp, COMPACT);
  const [digits = '', fraction = ''] = stamp.split('.');
  const at = (from: number, to: number, lowest = 0) =>
    Math.max(lowest, Number(digits.slice(from, to).padEnd(to - from, '0')));
  const minute = minuteTime(at(0, 4), at(4, 6, 1), at(6, 8, 1), at(8, 10), at(10, 12));
  const micros = Number(fraction.padEnd(6, '0').slice(0, 6));
  return minute + at(12, 14) * 1000 + micros / 1000;
}

/** The time of a readable stamp, in milliseconds since 1970; undefined for another text. */
export function epochOfReadable(text: string): number | undefined {
  return IS_READABLE.test(text) ? wholeStampTime(text, READABLE) : undefined;
}

/** Lists read thousands of stamps: no text is made of a part of one. */
function wholeStampTime(stamp: string, places: Places): number {
  const [year, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0] = places;
  const at = (place: number) => digitsIn(stamp, place, 2);
  const begun = minuteTime(
    digitsIn(stamp, year, 4),
    Math.max(1, at(month)),
    Math.max(1, at(day)),
    at(hour),
    at(minute),
  );
  return begun + at(second) * 1000 + digitsIn(stamp, micros, 6) / 1000;
}

function digitsIn(text: string, from: number, count: number): number {
  let number = 0;
  for (let i = from; i < from + count; i += 1) number = number * 10 + text.charCodeAt(i) - 48;
  return number;
}

/** When a minute of local time begins. Stamps that are read together are often of the same one. */
function minuteTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
): number {
  const number = (((year * 100 + month) * 100 + day) * 100 + hour) * 100 + minute;
  if (number !== lastMinute.number) {
    const date = new Date(0);
    date.setFullYear(year, month - 1, day);
    date.setHours(hour, minute, 0, 0);
    lastMinute = { number, time: date.getTime() };
  }
  return lastMinute.time;
}

let lastMinute = { number: Number.NaN, time: 0 };

/**
 * The time that an engine of containers tells (RFC 3339), in milliseconds since 1970. Undefined for none, and for the
 * beginning of an era, which stands for none.
 */
export function timeIn(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return time > 0 ? time : undefined;
}
