import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { portableJson } from '../../../../lib/wire/portableJson.ts';

describe('portableJson', () => {
  it.each([
    ['a\ud800b', 'a\ufffdb'],
    ['\udfff', '\ufffd'],
    ['\\ud800', '\\ud800'],
    ['\\\ud800', '\\\ufffd'],
    ['\\\\ud83d \ud83d\ude00 \ude00\ud83d', '\\\\ud83d \ud83d\ude00 \ufffd\ufffd'],
  ])('tells %j as %j', (sent, told) => {
    expect(JSON.parse(portableJson(sent))).toBe(told);
    expect(JSON.parse(portableJson({ [sent]: [sent] }))).toEqual({ [told]: [told] });
  });

  it('has no half of a character in it, whatever it is made of, and leaves the rest as it is', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('\\', 'ud800', '\\ud800', '\ud800', '\udc00'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const json = portableJson(text);
        expect(Buffer.from(json).toString()).toBe(json);
        expect(JSON.parse(json)).toBe(text.replace(/\p{Surrogate}/gu, '\ufffd'));
      }),
    );
  });
});
