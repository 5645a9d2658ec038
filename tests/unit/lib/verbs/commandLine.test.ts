import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { quoted } from '../../../../lib/verbs/commandLine.ts';

it('quotes words so that a shell takes them apart again', () => {
  const word = fc.string({ unit: 'binary-ascii' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
      const line = `printf '%s\\0' ${quoted(words)}`;
      const { stdout } = spawnSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
      expect(stdout.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 40 },
  );
  expect(quoted(['make', '-j8', 'check'])).toBe('make -j8 check');
  // It would be a variable, and no program.
  expect(quoted(['A=b'])).toBe("'A=b'");
});
