import { describe, expect, it } from '@jest/globals';
import { isTextKept, keepText, textOnce } from '../../../../lib/wire/keptText.ts';

describe('the text of a value that is sent again and again', () => {
  it('is written once', () => {
    let count = 0;
    const write = (value: unknown) => {
      count += 1;
      return JSON.stringify(value);
    };
    const value = { a: 1 };
    expect([textOnce(value, write), textOnce(value, write), count]).toEqual([
      '{"a":1}',
      '{"a":1}',
      2,
    ]);
    keepText(value);
    expect(isTextKept(value)).toBe(true);
    expect([textOnce(value, write), textOnce(value, write), count]).toEqual([
      '{"a":1}',
      '{"a":1}',
      3,
    ]);
  });

  it('is not kept where it is long', () => {
    const long = { a: 'x'.repeat(20_000) };
    const many = { a: Array.from({ length: 600 }, () => 0) };
    for (const value of [long, many]) {
      keepText(value);
      expect(isTextKept(value)).toBe(false);
    }
    expect([isTextKept('text'), isTextKept(null), isTextKept({})]).toEqual([false, false, false]);
  });
});
