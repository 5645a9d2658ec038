import { describe, expect, it } from '@jest/globals';
import { acceptedIn } from '../../../../lib/wire/accepted.ts';

describe('what a client takes', () => {
  it.each([
    ['', {}],
    ['gzip', { gzip: 1 }],
    ['GZIP;Q=0.5, zstd', { gzip: 0.5, zstd: 1 }],
    ['gzip;q=0, br;q=0.000', {}],
    ['text/plain;version=1;q=0.2, text/plain;q=0.9', { 'text/plain': 0.9 }],
    ['gzip;q=much', { gzip: 1 }],
    ['*;q=0', {}],
  ])('is %j', (header, wishes) => {
    const { '': _, ...named } = Object.fromEntries(acceptedIn(header));
    expect(named).toEqual(wishes);
  });

  it('is nothing without the header', () => {
    expect(acceptedIn().has('gzip')).toBe(false);
  });
});
