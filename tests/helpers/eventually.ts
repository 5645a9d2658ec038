import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** How long to go on trying, in ms. */
  readonly timeoutMs?: number;
  /** Pause between two tries, in ms. */
  readonly pollMs?: number;
  /** What was waited for, as in "job j1 to finish". */
  readonly message?: string;
}

/**
 * Calls `probe` until it gives something truthy and returns that. A probe that throws counts as
 * "not yet"; its last error is the cause of the error thrown when time is up.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 60_000, pollMs = 20, message = 'a condition to hold' }: Patience = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${message}`, { cause });
    }
    await sleep(pollMs);
  }
}
