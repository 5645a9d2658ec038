import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isHere, quoted } from '../../../../lib/verbs/commandLine.ts';

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

it.each([
  ['http://localhost:5010', true],
  ['http://127.0.0.1:1', true],
  ['http://[::1]:5010', true],
  ['https://pman.lab', false],
  ['http://127.lab', false],
])('%s is on this host: %j', (url, here) => {
  expect(isHere(url)).toBe(here);
});
