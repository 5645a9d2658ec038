import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { MAX_VARIABLE_BYTES, textMap, variables } from '../../../../lib/wire/textMap.ts';

const texts = textMap(z.string('is no text'), 'is no object');
const messages = (value: unknown) =>
  texts.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('textMap', () => {
  it('gives every member back, whatever its name', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (members) => {
        const value = Object.fromEntries(members);
        expect(Object.entries(texts.parse(value))).toEqual(Object.entries(value));
      }),
    );
  });

  it('names each member that is no text', () => {
    const value = JSON.parse('{"a": 1, "b": "text", "__proto__": {}}') as unknown;
    expect(messages(value)).toEqual(['a: is no text', '__proto__: is no text']);
  });

  it.each([[null], ['text'], [[]], [7], [true]])('refuses what is no object: %j', (value) => {
    expect(messages(value)).toEqual([': is no object']);
  });

  it('says nothing more of what is no object', () => {
    const refined = texts.refine((value) => Object.keys(value).length === 0, 'has members');
    expect(refined.safeParse('text').error?.issues).toHaveLength(1);
  });
});

describe('variables', () => {
  const problems = (value: unknown) =>
    variables(z.string('is no text'))
      .safeParse(value)
      .error?.issues.map(({ message }) => message);

  it('may each be as long as Linux takes them, and no longer', () => {
    const most = 'é'.repeat(MAX_VARIABLE_BYTES / 2 - 2);
    expect(problems({ AB: most })).toBeUndefined();
    expect(problems({ ABC: most })).toEqual([expect.stringContaining('128 KiB')]);
  });

  it('may not be too many together', () => {
    const of = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`A${i}`, 'x'.repeat(100_000)]));
    expect(problems(of(15))).toBeUndefined();
    expect(problems(of(16))).toEqual([expect.stringContaining('1.5 MiB')]);
  });

  it('that are no text are named as such', () => {
    expect(problems({ A: 7 })).toEqual(['is no text']);
    expect(problems('text')).toEqual(['is not an object of strings']);
  });
});
