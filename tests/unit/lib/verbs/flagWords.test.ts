import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Flag, flagValue, readWords } from '../../../../lib/verbs/flagWords.ts';

const FLAGS: readonly Flag[] = [
  { name: 'follow', short: 'f', help: '' },
  { name: 'quiet', short: 'q', help: '' },
  { name: 'lines', short: 'n', value: 'N', help: '' },
  { name: 'label', value: 'X=Y', isList: true, help: '' },
  { name: 'time', value: 'FORM', among: ['age', 'iso'], help: '' },
];

const read = (...argv: string[]) => {
  const { switches, values, rest } = readWords(argv, FLAGS);
  return [[...switches], Object.fromEntries(values), rest];
};

describe('words behind a verb', () => {
  it.each([
    [
      ['-fqn5', 'a'],
      [['follow', 'quiet'], { lines: ['5'] }, ['a']],
    ],
    [
      ['-n', '5', 'a', '-f'],
      [['follow'], { lines: ['5'] }, ['a']],
    ],
    [
      ['--lines=5', '--label', 'a=b', '--label=c=d'],
      [[], { lines: ['5'], label: ['a=b', 'c=d'] }, []],
    ],
    [
      ['a', '--', '-f', '--x'],
      [[], {}, ['a', '-f', '--x']],
    ],
    [
      ['-', 'b'],
      [[], {}, ['-', 'b']],
    ],
    [
      ['--lines', '-1'],
      [[], { lines: ['-1'] }, []],
    ],
  ])('%j', (argv, expected) => {
    expect(read(...argv)).toEqual(expected);
  });

  it.each([
    [['--folow'], 'there is no --folow; is it --follow?'],
    [['-x'], 'there is no -x'],
    [['--lines'], '--lines needs a value: N'],
    [['-n'], '-n needs a value: N'],
    [['--lines', ''], '--lines is empty: it needs N'],
    [['--label='], '--label is empty: it needs X=Y'],
    [['-n', '', 'a'], '-n is empty: it needs N'],
    [['--follow=1'], '--follow takes no value'],
    [['-n1', '-n2'], '-n is there twice'],
    [['--time', 'x'], '--time "x" is none of age, iso'],
    [['--lin', '5'], 'there is no --lin'],
  ])('%j is refused in words', (argv, message) => {
    expect(() => read(...argv)).toThrow(message);
  });

  it('leaves the flags of a command that is run alone', () => {
    const words = readWords(['-f', 'ls', '-n', '--all'], FLAGS, { endsAtWord: true });
    expect([[...words.switches], words.rest]).toEqual([['follow'], ['ls', '-n', '--all']]);
    const dashed = readWords(['-f', '--', '-f'], FLAGS, { endsAtWord: true });
    expect([dashed.rest, dashed.isBehindDashes]).toEqual([['-f'], true]);
  });

  it('keeps every word behind -- as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(readWords(['--', ...words], FLAGS).rest).toEqual(words);
      }),
    );
  });

  it('gives back each value that it was given', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        expect(flagValue(readWords([`--lines=${value}`], FLAGS), 'lines')).toBe(value);
        expect(flagValue(readWords(['-n', value], FLAGS), 'lines')).toBe(value);
      }),
    );
  });
});
