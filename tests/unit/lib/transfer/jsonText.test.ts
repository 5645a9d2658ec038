import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJsonOrUndefined, reformatJson } from '../../../../lib/transfer/jsonText.ts';

describe('reformatJson', () => {
  it('writes one line with the blanks that Python writes', () => {
    expect(reformatJson('{\n "b":[1.0,{}], "a" : "x: {,"}\n')).toBe(
      '{"b": [1.0, {}], "a": "x: {,"}',
    );
  });

  it('indents and keeps the order of keys and the spelling of numbers', () => {
    expect(reformatJson('{"2":12345678901234567890,"1":[1e3,[]]}', 2)).toBe(
      '{\n  "2": 12345678901234567890,\n  "1": [\n    1e3,\n    []\n  ]\n}',
    );
  });

  it('keeps the value of any JSON text and indents as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 4), (value, indent) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(reformatJson(text, indent))).toEqual(JSON.parse(text));
        if (indent > 0) {
          expect(reformatJson(text, indent)).toBe(JSON.stringify(JSON.parse(text), null, indent));
        }
      }),
    );
  });
});

describe('parseJsonOrUndefined', () => {
  it('tells a text that is not JSON', () => {
    expect(parseJsonOrUndefined('nope')).toBeUndefined();
    expect(parseJsonOrUndefined('null')).toBeNull();
  });
});
