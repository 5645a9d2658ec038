const two = (n: number) => String(n).padStart(2, '0');

/** Date and time of day in local time, and the microseconds of the second. */
function localParts(epochMs: number) {
  const epochMicros = Math.round(epochMs * 1000);
  const date = new Date(Math.floor(epochMicros / 1000));
  const micros = date.getMilliseconds() * 1000 + (epochMicros % 1000);
  return {
    day: [String(date.getFullYear()), two(date.getMonth() + 1), two(date.getDate())] as const,
    time: [two(date.getHours()), two(date.getMinutes()), two(date.getSeconds())] as const,
    micros: String(micros).padStart(6, '0'),
  };
}

/** `YYYYMMDDhhmmss.ffffff`, local time (protocol a.7, b). `epochMs`: milliseconds since 1970, with fractions. */
export function compactStamp(epochMs: number): string {
  const { day, time, micros } = localParts(epochMs);
  return `${day.join('')}${time.join('')}.${micros}`;
}

/** `YYYY-MM-DD hh:mm:ss.ffffff`, local time (protocol b). */
export function readableStamp(epochMs: number): string {
  const { day, time, micros } = localParts(epochMs);
  return `${day.join('-')} ${time.join(':')}.${micros}`;
}

/** In whole microseconds: a fraction of a millisecond is no exact number. */
let lastRootAt = 0;

/**
 * A new name for a job root: `<compact stamp>_<uuid4>`. Names of one process sort in the order in which they
 * were made: two in one microsecond get stamps one apart.
 */
export function newJobRoot(epochMs: number): string {
  lastRootAt = Math.max(Math.round(epochMs * 1000), lastRootAt + 1);
  return `${compactStamp(lastRootAt / 1000)}_${crypto.randomUUID()}`;
}
