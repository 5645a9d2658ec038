import { describe, expect, it } from '@jest/globals';
import { jsonOrUndefined } from '../../../../lib/wire/maybeJson.ts';

describe('jsonOrUndefined', () => {
  it.each([
    ['{"a": [1]}', { a: [1] }],
    ['null', null],
    [' 7\n', 7],
  ])('gives the value of %j', (text, value) => {
    expect(jsonOrUndefined(text)).toEqual(value);
  });

  it.each(['', '{"a": ', 'garbage', '\0\0', "{'a': 1}", '1 2', 'undefined'])(
    'gives nothing for %j',
    (text) => {
      expect(jsonOrUndefined(text)).toBeUndefined();
    },
  );
});
