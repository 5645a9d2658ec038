import { describe, expect, it } from '@jest/globals';
import { LinkRate } from '../../../../../lib/transfer/pack/linkRate.ts';

const MIB = 1024 ** 2;

/** Sends so much, at so many MiB a second, waiting for this share of the time. */
function sending(rate: LinkRate, clock: { ms: number }, mibPerSecond: number, waiting: number) {
  for (let i = 0; i < 16; i += 1) {
    const ms = (250 / 1024 / mibPerSecond) * 1000;
    clock.ms += ms;
    rate.sent(MIB / 4, ms * waiting);
  }
  return rate.isSlow;
}

describe('LinkRate', () => {
  it('calls a link slow that is waited for and takes little, until it takes more', () => {
    const clock = { ms: 0 };
    const rate = new LinkRate(() => clock.ms);
    expect(rate.isSlow).toBe(false);
    expect(sending(rate, clock, 10, 0.9)).toBe(true);
    // Deflating takes time as well: what is waited for is less.
    expect(sending(rate, clock, 10, 0.3)).toBe(true);
    expect(sending(rate, clock, 100, 0.9)).toBe(false);
  });

  it('does not call a link slow when it is the sender that is', () => {
    const clock = { ms: 0 };
    const rate = new LinkRate(() => clock.ms);
    expect(sending(rate, clock, 10, 0.2)).toBe(false);
  });
});
