import { expect, it } from '@jest/globals';
import { ageBefore, requireSpan, spanMs } from '../../../../lib/verbs/spans.ts';

it.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['0.5h', 1_800_000],
  ['', undefined],
  ['7 d', undefined],
  ['-5', undefined],
  ['d', undefined],
])('%j is %j ms', (text, ms) => {
  expect(spanMs(text)).toBe(ms);
});

it('takes a moment as a length of time or a date, and says what it takes', () => {
  expect(ageBefore('1h', '--since', 7_200_000).getTime()).toBe(3_600_000);
  expect(ageBefore('2026-11-28T00:00:00Z', '--since', 0).toISOString()).toBe(
    '2026-11-28T00:00:00.000Z',
  );
  expect(() => ageBefore('soon', '--since', 0)).toThrow('--since "soon" is neither');
  expect(() => requireSpan('soon', '--older')).toThrow('--older "soon" is no length of time');
});

it('takes a day for one of here, whether a time of day follows or not', () => {
  const midnight = new Date(2026, 10, 28).getTime();
  expect(ageBefore('2026-11-28', '--since', 0).getTime()).toBe(midnight);
  expect(ageBefore('2026-11-28T00:00', '--since', 0).getTime()).toBe(midnight);
});
