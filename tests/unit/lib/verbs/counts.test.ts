import { describe, expect, it } from '@jest/globals';
import { countOf } from '../../../../lib/verbs/counts.ts';
import { readWords } from '../../../../lib/verbs/flagWords.ts';

describe('a number of lines', () => {
  const count = (...argv: string[]) =>
    countOf(readWords(argv, [{ name: 'tail', value: 'N', help: '' }]), 'tail');

  it.each([
    ['0', 0],
    ['007', 7],
    ['99999999999', 99_999_999_999],
    ['9'.repeat(40), Number.MAX_SAFE_INTEGER],
  ])('%s is one, however large', (text, value) => {
    expect(count(`--tail=${text}`)).toBe(value);
  });

  it.each(['-1', '1.5', '1e3', 'many', ' '])('%j is none', (text) => {
    expect(() => count(`--tail=${text}`)).toThrow(
      `--tail ${JSON.stringify(text)} is no whole number`,
    );
  });

  it('is not there without its flag', () => {
    expect(count()).toBeUndefined();
  });
});
