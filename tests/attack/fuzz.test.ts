import { describe, expect, it, jest } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { fuzz } from './fuzz/fuzz.ts';
import { sandboxMissing } from './fuzz/sandbox.ts';

jest.setTimeout(15 * 60_000);

/** `npm run attack:long` sends a million to each. */
const COUNT = Number(process.env.PMAN_FUZZ_REQUESTS ?? 20_000);
/** Another one sends other requests. */
const SEED = Number(process.env.PMAN_FUZZ_SEED ?? 1);
/** What a program may grow by after its first tenth, in MiB. */
const MAY_GROW = 128;

describeWithEngine('a program that gets mutated requests', sandboxMissing, () => {
  describe.each(['pman', 'pfioh'] as const)('%s', (program) => {
    it(`lives through ${COUNT} mutated requests (seed ${SEED})`, async () => {
      const { faults, mebi, files } = await fuzz({ program, seed: SEED, count: COUNT });
      expect(faults).toEqual([]);
      expect((mebi.at(-1) ?? 0) - (mebi[0] ?? 0)).toBeLessThan(MAY_GROW);
      expect(files[1] - files[0]).toBeLessThan(32);
    });
  });
});
