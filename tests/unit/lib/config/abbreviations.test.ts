import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expandAbbreviations } from '../../../../lib/config/abbreviations.ts';
import { UsageError } from '../../../../lib/errors.ts';

const FLAGS = ['--port', '--protocol', '--http', '--httpResponse', '--version', '--verbosity'];

describe('expandAbbreviations', () => {
  it.each([
    { given: ['--po', '5010'], meant: ['--port', '5010'] },
    { given: ['--po=5010'], meant: ['--port=5010'] },
    { given: ['--po='], meant: ['--port='] },
    { given: ['--vers'], meant: ['--version'] },
    { given: ['--msg', 'a', '--prot', 'tcp'], meant: ['--msg', 'a', '--protocol', 'tcp'] },
  ])('writes $given out', ({ given, meant }) => {
    expect(expandAbbreviations(given, FLAGS)).toEqual(meant);
  });

  it('leaves a full name alone although it begins another', () => {
    expect(expandAbbreviations(['--http', 'x', '--http=y'], FLAGS)).toEqual([
      '--http',
      'x',
      '--http=y',
    ]);
  });

  it.each([[['--nosuch']], [['-p', '5']], [['plain', '']], [['--', '--po']]])(
    'leaves %j to the parser',
    (given) => {
      expect(expandAbbreviations(given, FLAGS)).toEqual(given);
    },
  );

  it.each(['--p', '--ver', '--ver=1'])(
    'refuses the ambiguous %s and names the candidates',
    (given) => {
      expect(() => expandAbbreviations([given], FLAGS)).toThrow(UsageError);
      expect(() => expandAbbreviations([given], FLAGS)).toThrow(
        /--(port, --protocol|version, --verbosity)/,
      );
    },
  );

  it('keeps full flags and their values whatever they are', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FLAGS), fc.string(), (flag, value) => {
        expect(expandAbbreviations([`${flag}=${value}`], FLAGS)).toEqual([`${flag}=${value}`]);
      }),
    );
  });
});
