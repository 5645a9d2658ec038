import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compactStamp } from '../../../../lib/host/stamps.ts';
import {
  acceptedAt,
  byOrder,
  goOnBehind,
  inOrder,
  isJobRoot,
  newJobRoot,
  orderOf,
} from '../../../../lib/records/jobRoot.ts';

const ORIGINAL = '20261122063520.151489_7423dd61-31d2-4e6d-be15-e32e0c01f44d';

describe('newJobRoot', () => {
  it('names jobs so that their order is that in which they were made, however the clock is set', () => {
    const start = Date.now();
    const times = fc.array(fc.double({ min: -1e10, max: 1e6, noNaN: true }), { maxLength: 50 });
    fc.assert(
      fc.property(times, (offsets) => {
        const roots = offsets.map((offset) => newJobRoot(start + offset));
        expect(roots.every(isJobRoot)).toBe(true);
        expect(inOrder([...roots].sort())).toEqual(roots);
        expect([...roots].reverse().sort(byOrder)).toEqual(roots);
      }),
      { numRuns: 30 },
    );
  });

  it('shows the clock as it is, also when it was set back by an hour', () => {
    const now = Date.now() + 86_400_000;
    expect(newJobRoot(now).startsWith(compactStamp(now))).toBe(true);
    const earlier = now - 3_600_000;
    expect(newJobRoot(earlier).startsWith(compactStamp(earlier))).toBe(true);
  });

  it('gives a thousand jobs of one moment a microsecond each', () => {
    const start = Date.now() + 2 * 86_400_000;
    const roots = Array.from({ length: 1000 }, () => newJobRoot(start));
    expect(new Set(roots.map((root) => root.split('_')[0])).size).toBe(1000);
    expect([...roots].sort()).toEqual(roots);
    expect(roots[0]?.split('_')[0]).toBe(compactStamp(start));
    expect(roots[999]?.split('_')[0]).toBe(compactStamp(start + 0.999));
  });

  it('gives each a uuid that a reader takes for one, whose beginning is left to chance', () => {
    const roots = Array.from({ length: 100 }, () => newJobRoot(Date.now()));
    for (const root of roots) expect(root).toMatch(/_[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
    expect(new Set(roots.map((root) => root.split('_')[1]?.slice(0, 8))).size).toBe(100);
  });

  it('goes on behind the jobs of an earlier pman, whose clock was ahead; not behind a stamp of the year 3000', () => {
    const ahead = newJobRoot(Date.now() + 5 * 86_400_000);
    goOnBehind(orderOf(ahead), true);
    goOnBehind(orderOf(ORIGINAL.replace('2026', '3000')), false);
    const next = newJobRoot(Date.now());
    expect(orderOf(next)).toBeGreaterThan(orderOf(ahead));
    expect(acceptedAt(next)).toBeLessThan(Date.now() + 2 * 86_400_000);
  });
});

describe('acceptedAt', () => {
  const DAY = 86_400_000;
  /** Makes jobs at these times in a process of the zone, and tells what is said there and in another zone. */
  const rootIn = (time: number, shift: number) => {
    const root = newJobRoot(time);
    const stamp = compactStamp(time + shift);
    return `${stamp}${root.slice(stamp.length)}`;
  };

  it.each([
    ['2 hours', 2 * 3_600_000],
    ['3 days', 3 * DAY],
    ['400 days', 400 * DAY],
  ])(
    'is the time of each job after the clock was ahead by %s, and their order stays',
    (_, ahead) => {
      const now = Date.now() + 1000 * DAY;
      const first = newJobRoot(now + ahead);
      const times = [0, 1, 2, 3].map((n) => now + n * 1700 + 0.123);
      const roots = times.map((time) => newJobRoot(time));
      expect(inOrder([...roots, first].reverse())).toEqual([first, ...roots]);
      for (const [i, root] of roots.entries()) {
        expect(acceptedAt(root)).toBeCloseTo(times[i] ?? 0, 2);
        expect(acceptedAt(root)).toBeLessThanOrEqual(orderOf(root) / 1000);
      }
    },
  );

  it('is the same in every zone, of a job whose order is its time', () => {
    const zones = fc.integer({ min: -48, max: 56 }).map((quarters) => quarters * 900_000);
    fc.assert(
      fc.property(zones, fc.integer({ min: 1, max: 1e9 }), (zone, later) => {
        const time = Math.floor(orderOf(newJobRoot(Date.now())) / 1000) + later;
        expect(acceptedAt(rootIn(time, zone))).toBe(time);
      }),
      { numRuns: 100 },
    );
  });

  it('is never behind the place in the order, however the clock is set', () => {
    const times = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { maxLength: 50 });
    const start = Date.now();
    fc.assert(
      fc.property(times, (offsets) => {
        for (const offset of offsets) {
          const root = newJobRoot(start + offset);
          expect(acceptedAt(root)).toBeLessThanOrEqual(orderOf(root) / 1000);
          // Local time of an hour that there is twice is taken for the first one.
          expect(Math.abs(acceptedAt(root) - start - offset)).toBeLessThan(3_601_000);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is what the stamp of the original says', () => {
    expect(acceptedAt(ORIGINAL)).toBe(orderOf(ORIGINAL) / 1000);
  });
});

describe('a job root of the original', () => {
  it('has the place that its stamp says in local time', () => {
    expect(orderOf(ORIGINAL)).toBe(new Date(2026, 10, 22, 6, 35, 20, 151).getTime() * 1000 + 489);
    expect(inOrder([newJobRoot(Date.now()), ORIGINAL])[0]).toBe(ORIGINAL);
  });
});

describe('isJobRoot', () => {
  it.each([ORIGINAL, newJobRoot(Date.now())])('knows %s', (name) => {
    expect(isJobRoot(name)).toBe(true);
  });

  it.each([
    '',
    '20261122063520_7423dd61-31d2-4e6d-be15-e32e0c01f44d',
    '20261122063520.151489_7423dd61-31d2-4e6d-be15-e32e0c01f44d/..',
    '20261122063520.151489_7423dd61-31d2-4e6d-be15-e32e0c01f44d\n',
    '.drafts',
  ])('knows %j for none', (name) => {
    expect(isJobRoot(name)).toBe(false);
  });
});
