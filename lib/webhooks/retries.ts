const JITTER = 0.1;
const LONGEST_MS = 24 * 3600 * 1000;

/**
 * How long to wait after a try that failed, in milliseconds; undefined when it was the last one.
 * @param tries how many there have been
 * @param askedMs what the receiver asks for with Retry-After
 */
export function waitAfter(
  tries: number,
  retrySeconds: readonly number[],
  askedMs: number | undefined,
): number | undefined {
  const seconds = retrySeconds[tries - 1];
  if (seconds === undefined) return undefined;
  // Many that failed at once are not sent at once again.
  const ours = seconds * 1000 * (1 - JITTER + 2 * JITTER * Math.random());
  return Math.min(Math.max(ours, askedMs ?? 0), Math.max(LONGEST_MS, ours));
}

/** What `Retry-After` asks for, in milliseconds from now; undefined for what it does not say (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
