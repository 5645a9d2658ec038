import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BodyCollector } from '../../../../lib/gateway/body.ts';
import { within } from '../../../helpers/patience.ts';

describe('BodyCollector', () => {
  it('gives back what was added, whatever the cut and whether the length was known', () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 50_000 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.boolean(), (chunks, known) => {
        const whole = Buffer.concat(chunks);
        const budget = { heldBytes: 0 };
        const body = new BodyCollector(known ? whole.length : undefined, budget);
        for (const bytes of chunks) body.add(Buffer.from(bytes));
        expect(body.take().equals(whole)).toBe(true);
        expect(budget.heldBytes).toBe(whole.length);
        body.release();
        body.release();
        expect(budget.heldBytes).toBe(0);
      }),
    );
  });

  it('takes a megabyte sent a byte at a time in well under a second', () => {
    const body = new BodyCollector(undefined, { heldBytes: 0 });
    const startedAt = performance.now();
    for (let i = 0; i < 1_000_000; i += 1) body.add(Buffer.of(i % 256));
    expect(body.take()).toHaveLength(1_000_000);
    expect(performance.now() - startedAt).toBeLessThan(within(3_000));
  });
});
