import { expect, it } from '@jest/globals';
import { strengthOf } from '../../../../lib/access/tokenStrength.ts';

it.each([
  ['', 0, '0 characters'],
  ['12345678', 26, '8 characters out of 10 (digits)'],
  ['letmein', 32, '7 characters out of 26 (letters of one case)'],
  ['0123456789abcdef0123456789abcdef', 128, '32 characters out of 16 (hexadecimal digits)'],
  ['0123456789abcdef0123456789abcde', 124, '31 characters out of 16'],
  ['Zweites#Token;mit=allem%', 157, '24 characters out of 95 (characters of all kinds)'],
  ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, '40 characters out of 1 (different'],
  ['abababababababababababababababababababab', 40, '40 characters out of 2 (different'],
])('counts length times alphabet: %j has %i bits', (token, bits, words) => {
  expect(strengthOf(token).bits).toBe(bits);
  expect(strengthOf(token).words).toContain(words);
});
