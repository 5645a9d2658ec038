import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  agreedCheck,
  askedCheck,
  type Check,
  checkText,
  SHA256,
  startCheck,
} from '../../../../lib/transfer/contentCheck.ts';

const digestOf = (check: Check, ...pieces: readonly Uint8Array[]) => {
  const digester = startCheck(check);
  for (const piece of pieces) digester.update(piece);
  return digester.digest('hex');
};

describe('a check of a transfer', () => {
  it('does not depend on how the content is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 })), (pieces) => {
        const check = agreedCheck('poly1305');
        expect(digestOf(check, ...pieces)).toBe(digestOf(check, Buffer.concat(pieces)));
      }),
    );
  });

  it('sees one bit that is another one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (content, at) => {
        const damaged = Uint8Array.from(content);
        const place = at % content.length;
        damaged[place] = (damaged[place] ?? 0) ^ (1 << (at % 8));
        const check = agreedCheck('poly1305');
        expect(digestOf(check, damaged)).not.toBe(digestOf(check, content));
      }),
    );
  });

  it('sees what is missing at the end, be it zeros', () => {
    const check = agreedCheck('poly1305');
    const sums = [0, 1, 15, 16, 17, 32].map((bytes) => digestOf(check, new Uint8Array(bytes)));
    expect(new Set(sums).size).toBe(sums.length);
  });

  it('is agreed on by a text, with a key that is new each time', () => {
    const check = agreedCheck('other, poly1305');
    const there = askedCheck(checkText(check));
    expect(digestOf(there, Buffer.from('content'))).toBe(digestOf(check, Buffer.from('content')));
    expect(checkText(agreedCheck('poly1305'))).not.toBe(checkText(check));
  });

  it('is SHA-256 where nothing else is agreed on', () => {
    expect([agreedCheck(undefined), agreedCheck('blake9')]).toEqual([SHA256, SHA256]);
    expect([checkText(SHA256), askedCheck(undefined), askedCheck('blake9 00')]).toEqual([
      undefined,
      SHA256,
      SHA256,
    ]);
    expect(digestOf(SHA256, Buffer.from('abc'))).toMatch(/^ba7816bf/);
  });

  it.each(['poly1305', 'poly1305 00', `poly1305 ${'g'.repeat(64)}`, `poly1305 ${'0'.repeat(63)}`])(
    'refuses the key of %j',
    (text) => {
      expect(() => askedCheck(text)).toThrow('key of 64');
    },
  );
});
