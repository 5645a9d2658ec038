import { describe, expect, it } from '@jest/globals';
import { needsShell } from '../../../../lib/verbs/needsShell.ts';

describe('a line', () => {
  it.each([
    'echo $HOSTNAME; echo b',
    'echo "$HOME"',
    'echo "`id`"',
    'a | b',
    'a && b',
    'a > /out',
    'ls *.txt',
    'ls ~',
    'a # b',
    'N=1 env',
    'exit 3',
    'for f in a b',
    'a\nb',
  ])('needs a shell: %j', (line) => {
    expect(needsShell(line)).toBe(true);
  });

  it.each([
    'uname -a',
    '/bin/prog --flag=a,b @x %y a~ a#b {} a=b',
    "echo '$HOME; *'",
    'echo "a; b | c"',
    'echo \\$HOME \\;',
    "echo 'it'\\''s'",
    '',
  ])('is no more than its words: %j', (line) => {
    expect(needsShell(line)).toBe(false);
  });
});
