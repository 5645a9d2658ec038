import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { textMap } from '../../../../lib/wire/textMap.ts';

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
