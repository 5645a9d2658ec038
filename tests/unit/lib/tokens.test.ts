import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../lib/errors.ts';
import { holdsToken, readTokens } from '../../../lib/tokens.ts';
import { tempDir } from '../../helpers/tempDir.ts';

let top = '';
beforeEach(() => {
  top = tempDir();
});

function withFile(name: string, content: string) {
  const file = join(top, name);
  writeFileSync(file, content);
  return readTokens(file, 'socket_config.cfg');
}

describe('readTokens', () => {
  const INI = `[OTHER]
x = 0therT0ken
[AUTH TOKENS]
# a comment = n0
alice = t0ken-a
bob: t0ken-b
carol=  t0ken-c
odd = p;q#r "s
empty =
[LATER]
y = laterT0ken
`;

  it.each(['pman_config.cfg', 'tokens.ini', 'x.cfg.old'])(
    'reads the values of the section in %s',
    (name) => {
      expect(withFile(name, INI)).toEqual(['t0ken-a', 't0ken-b', 't0ken-c', 'p;q#r "s']);
    },
  );

  it.each(['p;q#r', '"quoted"', 'a=b:c', '%(x)s'])('takes the whole of the token %s', (token) => {
    expect(withFile('t.cfg', `[AUTH TOKENS]\r\nalice = ${token}\r\n`)).toEqual([token]);
  });

  it.each([
    ['a =\n    t0ken', ['t0ken']],
    ['a = one\n  b = two\nc = three', ['one\nb = two', 'three']],
    ['  a = one\n  b = two', ['one', 'two']],
    ['[X]\nx = no\n  nor this\n[AUTH TOKENS]\n b = two', ['one', 'two']],
  ])(
    'takes lines that are indented deeper for the rest of a value, as Python does: %j',
    (lines, tokens) => {
      const first = lines.startsWith('[') ? 'first = one\n' : '';
      expect(withFile('t.cfg', `[AUTH TOKENS]\n${first}${lines}\n`)).toEqual(tokens);
    },
  );

  it('takes nothing from [DEFAULT] for a token', () => {
    expect(withFile('t.cfg', '[DEFAULT]\ndebug = true\n[AUTH TOKENS]\na = one\n')).toEqual(['one']);
  });

  it('names the line of a token that lacks its name, and does not show it', () => {
    const content = '[AUTH TOKENS]\nalice = t0ken\n\nb4re\n';
    expect(() => withFile('t.cfg', content)).toThrow(UsageError);
    expect(() => withFile('t.cfg', content)).toThrow(/t\.cfg, line 4: .*"name = token"$/);
  });

  it('reads any other file as one token a line', () => {
    expect(withFile('secret', '\n  one \r\n\ntwo\n# three\n')).toEqual(['one', 'two', '# three']);
  });

  it.each([
    ['tokens.cfg', '[AUTH TOKENS]\nx =\n', 'has no token in its section [AUTH TOKENS]'],
    ['tokens.cfg', 'alice = t0ken\nbare\n', 'has no token in its section [AUTH TOKENS]'],
    ['tokens.ini', '', 'has no token in its section [AUTH TOKENS]'],
    ['secret', ' \n\n', 'has no line with a token'],
  ])('refuses %s with %j: it would shut everybody out', (name, content, message) => {
    expect(() => withFile(name, content)).toThrow(UsageError);
    expect(() => withFile(name, content)).toThrow(message);
  });

  it('refuses a file that is not there, with the flag to name another', () => {
    expect(() => readTokens(join(top, 'nosuch'), '')).toThrow(UsageError);
    expect(() => readTokens(join(top, 'nosuch'), '')).toThrow(/ENOENT.*--tokenPath/);
  });

  it("looks in the original's place when no file is named", () => {
    const fallback = join(top, 'socket_config.cfg');
    expect(() => readTokens('', fallback)).toThrow('socket_config.cfg');
    writeFileSync(fallback, '[AUTH TOKENS]\nx = y\n');
    expect(readTokens('', fallback)).toEqual(['y']);
  });
});

describe('holdsToken', () => {
  it.each(['t0ken', 'Bearer t0ken', 'bearer  t0ken ', 'Basic t0ken', '\tBearer\tt0ken'])(
    'accepts the header value %j',
    (value) => {
      expect(holdsToken(value, ['other', 't0ken'])).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    ' ',
    'Bearer',
    'Bearer T0KEN',
    't0ken x',
    't0ke',
    't0kent0ken',
    'Bearer=t0ken',
  ])('refuses the header value %j', (value) => {
    expect(holdsToken(value, ['other', 't0ken'])).toBe(false);
  });

  it('knows no token when there is none', () => {
    for (const value of [undefined, '', 'x']) expect(holdsToken(value, [])).toBe(false);
  });
});
