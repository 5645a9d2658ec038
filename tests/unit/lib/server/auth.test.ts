import { describe, expect, it } from '@jest/globals';
import { makeAuthenticator } from '../../../../lib/server/auth.ts';

describe('makeAuthenticator', () => {
  it('lets everybody in and shows everything without tokens', () => {
    const door = makeAuthenticator(undefined);
    for (const value of [undefined, '', 'x']) expect(door.accepts(value)).toBe(true);
    expect(door.mask('Bearer x')).toBe('Bearer x');
  });

  it('lets in who has one of the tokens', () => {
    const door = makeAuthenticator(['one', 'two']);
    for (const value of ['Bearer one', 'two']) expect(door.accepts(value)).toBe(true);
    for (const value of [undefined, '', 'onetwo', 'one two three']) {
      expect(door.accepts(value)).toBe(false);
    }
  });

  it.each([
    ['X-Copy: t0ken!', 'X-Copy: ***!'],
    ['t0ken t0ken', '*** ***'],
    ['t0 ken', 't0 ken'],
    ['a $&-t0ken', 'a $&-***'],
    ['', ''],
  ])('shows %j as %j', (text, shown) => {
    expect(makeAuthenticator(['t0ken', 'other']).mask(text)).toBe(shown);
  });

  it('shows no rest of a token that begins with another one', () => {
    const door = makeAuthenticator(['t0ken', 't0ken-of-alice', 'not t0ken-of-alice']);
    expect(door.mask('t0ken-of-alice t0ken not t0ken-of-alice')).toBe('*** *** ***');
  });
});
