import { describe, expect, it } from '@jest/globals';
import { Guesses, sourceOf } from '../../../../lib/access/guesses.ts';

describe('sourceOf', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('counts %s under %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});

describe('Guesses', () => {
  it('remembers no more than so many addresses', () => {
    const guesses = new Guesses();
    for (let i = 0; i < 50; i += 1) guesses.wrong(['10.0.0.1'], `a${i}`);
    expect(guesses.waitMs(['10.0.0.1'])).toBeGreaterThan(0);
    for (let i = 0; i < 10_001; i += 1) guesses.wrong([`10.1.${i >> 8}.${i & 255}`], 'b');
    // Forgotten: it has its tries again, and not more than these.
    expect(guesses.waitMs(['10.0.0.1'])).toBe(0);
  });

  it('counts a try against each address that it may have come from', () => {
    const guesses = new Guesses();
    for (let i = 0; i < 50; i += 1) guesses.wrong(['10.0.0.1', '10.0.0.2'], `a${i}`);
    expect(guesses.waitMs(['10.0.0.1'])).toBeGreaterThan(0);
    expect(guesses.waitMs(['10.0.0.2'])).toBeGreaterThan(0);
    expect(guesses.waitMs(['10.0.0.1', '10.0.0.3'])).toBe(0);
  });

  it('takes clients whose address is not known for one', () => {
    const guesses = new Guesses();
    for (let i = 0; i < 50; i += 1) guesses.wrong([], `a${i}`);
    expect(guesses.waitMs([])).toBeGreaterThan(0);
  });
});
