import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '../../../../crunner/cli/flags.ts';
import { UsageError } from '../../../../lib/errors.ts';

describe('parseFlags', () => {
  it.each<readonly [argv: readonly string[], expected: object]>([
    [[], { command: undefined, verbosity: 0, pipeline: false, sshOptions: [] }],
    [['-c', ''], { command: '' }],
    [['--command='], { command: '' }],
    [['-c', 'a=b; c'], { command: 'a=b; c' }],
    [['--command=a=b'], { command: 'a=b' }],
    [['-v', '-1'], { verbosity: -1 }],
    [['-v-1'], { verbosity: -1 }],
    [['--verb=2'], { verbosity: 2 }],
    [['--ver', '2'], { verbosity: 2, version: false }],
    [['--version'], { version: true }],
    [['--eventL'], { eventloop: true }],
    [['--ss', 'u@h'], { ssh: 'u@h' }],
    [['-v', '-1', '--', 'echo a; echo "$X"'], { command: 'echo a; echo "$X"', verbosity: -1 }],
    [['--', 'exit', '7'], { command: `'exit' '7'` }],
    [
      ['--', 'printf', '%s', "a b'c", '-v', '--'],
      { command: `'printf' '%s' 'a b'\\''c' '-v' '--'` },
    ],
    [['--ssh-o', 'A=b', '-oC=d'], { sshOptions: ['A=b', 'C=d'] }],
  ])('reads %j', (argv, expected) => {
    expect(parseFlags(argv)).toMatchObject(expected);
  });

  it('never takes an abbreviation of an original flag for a newer one', () => {
    expect(parseFlags(['--pipe'])).toMatchObject({ pipeline: true, pipefail: false });
    expect(parseFlags(['--pipef'])).toMatchObject({ pipeline: false, pipefail: true });
  });

  it.each([
    [['--show'], /ambiguous.*--showStdOut.*--showStdErr/],
    [['--e'], /ambiguous/],
    [['--jid'], /expected one argument/],
    [['-c', '-x'], /expected one argument/],
    [['--echoCmd=yes'], /takes no value/],
    [['-q'], /unrecognized arguments: -q/],
    [['--'], /unrecognized/],
    [['-c', 'x', '--'], /unrecognized/],
    [['-c', 'x', '--', 'y'], /not together/],
    [['-v', 'x'], /invalid int value/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseFlags(argv)).toThrow(UsageError);
    expect(() => parseFlags(argv)).toThrow(message);
  });
});
