/** Amounts and times for people. Units are always there. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes with three figures: `788 MiB`, `1.24 GiB`. */
export function amount(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : threeFigures(value)} ${UNITS[unit]}`;
}

function threeFigures(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** Bytes a second with two or three figures: `94 MiB/s`. */
export function rate(bytesPerSecond: number): string {
  const [value = '', unit = ''] = amount(bytesPerSecond).split(' ');
  return `${Number(value) >= 10 ? Math.round(Number(value)) : value} ${unit}/s`;
}

/** How long something takes still: `5 s`, `3m04s`, `2h05m`. */
export function span(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${two(whole % 60)}s`;
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}

/** How long something took: `0.42 s`, `13.4 s`, `3m04s`. */
export function took(seconds: number): string {
  if (seconds >= 59.95) return span(seconds);
  return `${seconds >= 9.95 ? seconds.toFixed(1) : seconds.toFixed(2)} s`;
}

/** `1 file`, `318 files`. */
export const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`;
