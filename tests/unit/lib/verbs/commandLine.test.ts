import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commandOf, quoted } from '../../../../lib/verbs/commandLine.ts';

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

describe('what is sent of the words behind the flags', () => {
  const of = (rest: readonly string[], isContainer: boolean, isBehindDashes = false) =>
    commandOf({ rest, isContainer, isBehindDashes });

  it('is a line for the shell of the image where it needs one, else its words', () => {
    const line = 'echo $HOSTNAME; echo b';
    expect(of([line], true)).toEqual({ command: line, shell: true });
    expect(of(['uname -a'], true)).toEqual({ command: 'uname -a' });
    expect(of(['echo', '$HOSTNAME; echo b'], true)).toEqual({
      command: "echo '$HOSTNAME; echo b'",
    });
    expect(of(['a;b'], true, true)).toEqual({ command: "'a;b'" });
  });

  it('is always for a shell where no image is named', () => {
    expect(of(['uname -a'], false)).toEqual({ command: 'uname -a', shell: true });
    expect(of(['echo', 'a b'], false)).toEqual({ command: "echo 'a b'", shell: true });
  });
});
