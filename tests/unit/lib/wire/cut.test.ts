import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutJson, cutText, ECHO_LIMIT } from '../../../../lib/wire/cut.ts';
import { ExactNumber, type JsonValue } from '../../../../lib/wire/json.ts';
import { dumps } from '../../../../lib/wire/pythonJson.ts';

describe('cutText', () => {
  it('shows the beginning, cuts no character, and says how much is left out', () => {
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('abcd', 3)).toBe('abc… [1 more characters]');
    expect(cutText('ab😀d', 3)).toBe('ab… [3 more characters]');
  });
});

describe('cutJson', () => {
  it('leaves what is short as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(cutJson(value as JsonValue)).toBe(value);
      }),
    );
    const exact = { a: new ExactNumber('1.0') };
    expect(cutJson(exact)).toBe(exact);
  });

  it('cuts texts, lists and objects, and says so in their places', () => {
    const limit = 240;
    expect(cutJson('x'.repeat(300), limit)).toBe(`${'x'.repeat(216)}… [84 more characters]`);
    expect(cutJson(Array(12).fill(1), limit)).toEqual([...Array(9).fill(1), '… [3 more values]']);
    expect(cutJson({ a: 'x'.repeat(240), b: 1, c: 2 }, limit)).toEqual({
      a: expect.stringMatching(/^x+… \[\d+ more characters\]$/),
      '…': '[2 more members]',
    });
    expect(cutJson({ a: { b: ['y'.repeat(240)] } }, limit)).toEqual({
      a: { b: [expect.stringMatching(/^y+… \[\d+ more characters\]$/)] },
    });
  });

  it.each<[string, JsonValue]>([
    ['a text', 'x'.repeat(3_000_000)],
    ['a text outside ASCII', 'é'.repeat(3_000_000)],
    ['a name', { ['n'.repeat(3_000_000)]: 1 }],
    ['names', Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`${i}`, i]))],
    ['values', Array(90_000).fill({})],
    ['texts', Array(90_000).fill('x'.repeat(50))],
    ['lists in lists', Array.from({ length: 300 }, () => Array(300).fill([]))],
  ])('is never much longer than it may be: %s', (_what, value) => {
    const written = dumps(cutJson(value), 4);
    expect(written.length).toBeLessThan(4 * ECHO_LIMIT);
    expect(written).toContain('more ');
  });
});
