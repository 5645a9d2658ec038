const DAY_MS = 86_400_000;
const TIME_LENGTH = 'hh:mm:ss.fffZ'.length;

const texts = (count: number, digits: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => String(n).padStart(digits, '0'));
const TWO = texts(60, 2);
const THREE = texts(1000, 3);

/**
 * A time in milliseconds since 1970 as `Date.toISOString` has it, to the millisecond (RFC 3339 for the years 0 to 9999). A list
 * writes hundreds of them, and each takes a tenth of the time here.
 * @throws RangeError for one that a Date cannot have
 */
export function utcTime(epochMs: number): string {
  const whole = Math.trunc(epochMs);
  const number = Math.floor(whole / DAY_MS);
  if (number !== day.number) day = { number, text: beginningOf(number * DAY_MS) };
  const ms = whole - number * DAY_MS;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const time = `${TWO[hours]}:${TWO[minutes - hours * 60]}:${TWO[seconds - minutes * 60]}`;
  return `${day.text}${time}.${THREE[ms - seconds * 1000]}Z`;
}

/** Of the day that begins then: `YYYY-MM-DDT`. Times that are written together are often of the same one. */
function beginningOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, -TIME_LENGTH);
}

let day = { number: 0, text: beginningOf(0) };
