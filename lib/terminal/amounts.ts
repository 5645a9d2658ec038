const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** How long something takes: `12s`, `3m04s`, `1h05m`, `3d04h`. What is not known is empty. */
export function tookText(ms: number | undefined): string {
  if (ms === undefined) return '';
  const whole = Math.max(0, Math.floor(ms / SECOND)) * SECOND;
  if (whole < MINUTE) return `${whole / SECOND}s`;
  if (whole < HOUR) return pair(whole, MINUTE, 'm', SECOND, 's');
  if (whole < DAY) return pair(whole, HOUR, 'h', MINUTE, 'm');
  return pair(whole, DAY, 'd', HOUR, 'h');
}

/** How long ago something was: to the second below ten minutes, then in one unit. */
export function ageText(ms: number): string {
  const age = Math.max(0, ms);
  if (age < 10 * MINUTE) return tookText(age);
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`;
  if (age < 2 * DAY) return `${Math.floor(age / HOUR)}h`;
  if (age < 2 * YEAR) return `${Math.floor(age / DAY)}d`;
  return `${Math.floor(age / YEAR)}y`;
}

function pair(ms: number, unit: number, name: string, lower: number, lowerName: string): string {
  const rest = Math.floor((ms % unit) / lower);
  return `${Math.floor(ms / unit)}${name}${String(rest).padStart(2, '0')}${lowerName}`;
}

/** The same as a reader is told it in a sentence: `9.8 s`, `12 s`, `3m04s`. */
export function durationText(ms: number): string {
  if (ms < 10 * SECOND) return `${Math.round(Math.max(0, ms) / 100) / 10} s`;
  return ms < MINUTE ? `${Math.floor(ms / SECOND)} s` : tookText(ms);
}

/** A length of time that somebody has asked for: `90s` is `1m30s`, an hour `1h`. */
export function spanText(ms: number): string {
  return ms < MINUTE ? `${ms / SECOND}s` : tookText(ms).replace(/(?<=[a-z])00[a-z]$/, '');
}

/** How long ago something was, in a sentence: `12 s ago`, `an hour ago`, `3 days ago`. */
export function agoText(ms: number): string {
  const age = Math.max(0, ms);
  if (age < MINUTE) return `${Math.floor(age / SECOND)} s ago`;
  if (age < HOUR) return units(age, MINUTE, 'a minute');
  if (age < DAY) return units(age, HOUR, 'an hour');
  return age < YEAR ? units(age, DAY, 'a day') : units(age, YEAR, 'a year');
}

function units(ms: number, unit: number, one: string): string {
  const count = Math.floor(ms / unit);
  return count === 1 ? `${one} ago` : `${count} ${one.split(' ')[1]}s ago`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** An amount of bytes: `412 B`, `1.2 GiB`. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1023.5 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const shown = unit === 0 || amount >= 99.95 ? Math.round(amount) : Math.round(amount * 10) / 10;
  return `${shown} ${UNITS[unit]}`;
}

/** The same for a column: `412B`, `1.2G`. */
export function shortBytes(bytes: number): string {
  const [amount = '', unit = ''] = bytesText(bytes).split(' ');
  return `${amount}${unit.slice(0, 1)}`;
}
