/**
 * Does the regular work on the database every so often, in milliseconds: the save that is the net below the saves that
 * follow each change, and the removal of old jobs.
 */
export function workPeriodically(
  work: readonly (() => unknown)[],
  periodMs: number,
): { close(): void } {
  const timer = setInterval(() => {
    for (const piece of work) void piece();
  }, periodMs);
  return { close: () => clearInterval(timer) };
}
