import { UsageError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A length of time as people write it, in milliseconds: `90`, `90s`, `1h30m`, `7d`. Undefined for another text. */
export function spanMs(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (!/^(\d+(\.\d+)?[smhdw])+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g);
  return [...parts].reduce((sum, [, n, unit = '']) => sum + Number(n) * (UNITS[unit] ?? 0), 0);
}

/** @throws UsageError for what is no length of time */
export function requireSpan(text: string, flag: string): number {
  const ms = spanMs(text);
  if (ms !== undefined) return ms;
  throw new UsageError(
    `${flag} ${JSON.stringify(text)} is no length of time, such as 90s, 1h30m or 7d`,
  );
}

/**
 * A moment: so long ago, or a date.
 * @throws UsageError for neither
 */
export function ageBefore(text: string, flag: string, nowMs: number): Date {
  const span = spanMs(text);
  if (span !== undefined) return new Date(nowMs - span);
  // JavaScript takes a day alone for one of UTC, and a day with a time for one of here.
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(at)) return new Date(at);
  throw new UsageError(
    `${flag} ${JSON.stringify(text)} is neither a length of time, such as 2h, nor a date, such as 2026-11-28`,
  );
}
