import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../../lib/errors.ts';
import { openDoor, tokenAuthenticator } from '../../../../lib/server/auth.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let top = '';
beforeEach(() => {
  top = tempDir();
});

function withFile(name: string, content: string) {
  const file = join(top, name);
  writeFileSync(file, content);
  return tokenAuthenticator(file);
}

describe('tokenAuthenticator', () => {
  const INI = `[OTHER]
x = 0therT0ken
[AUTH TOKENS]
# a comment = n0
alice = t0ken-a
bob: t0ken-b
carol=  t0ken-c
odd = p;q#r "s
empty =
bare
[LATER]
y = laterT0ken
`;

  it.each(['pman_config.cfg', 'tokens.ini', 'x.cfg.old'])(
    'reads the values of the section in %s',
    (name) => {
      const door = withFile(name, INI);
      for (const token of ['t0ken-a', 't0ken-b', 't0ken-c']) expect(door.accepts(token)).toBe(true);
      for (const token of ['0therT0ken', 'laterT0ken', 'alice', 'n0', '', 'bare', 'true', 'p']) {
        expect(door.accepts(`Bearer ${token}`)).toBe(false);
      }
    },
  );

  it.each(['p;q#r', '"quoted"', 'a=b:c', '%(x)s'])('takes the whole of the token %s', (token) => {
    const door = withFile('t.cfg', `[AUTH TOKENS]\r\nalice = ${token}\r\n`);
    expect(door.accepts(`Bearer ${token}`)).toBe(true);
    for (const part of ['p', 'quoted', 'a', 'b', 'c', 'true'])
      expect(door.accepts(part)).toBe(false);
  });

  it('reads any other file as one token a line', () => {
    const door = withFile('secret', '\n  one \r\n\ntwo\n[AUTH TOKENS]\nthree = four');
    for (const token of ['one', 'two']) expect(door.accepts(token)).toBe(true);
    for (const token of ['three', 'four', '[AUTH', '']) expect(door.accepts(token)).toBe(false);
  });

  it.each(['t0ken', 'Bearer t0ken', 'bearer  t0ken ', 'Basic t0ken', '\tBearer\tt0ken'])(
    'accepts the header value %j',
    (value) => {
      expect(withFile('secret', 't0ken').accepts(value)).toBe(true);
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
    expect(withFile('secret', 't0ken').accepts(value)).toBe(false);
  });

  it('tells whether a text holds a token', () => {
    const door = withFile('secret', 't0ken\nother');
    expect(door.holdsToken('X-Copy: t0ken!')).toBe(true);
    expect(door.holdsToken('an other')).toBe(true);
    expect(door.holdsToken('t0 ken')).toBe(false);
  });

  it.each([
    ['tokens.cfg', '[AUTH TOKENS]\nx =\n', 'has no token in its section [AUTH TOKENS]'],
    ['tokens.cfg', 'alice = t0ken\n', 'has no token in its section [AUTH TOKENS]'],
    ['tokens.ini', '', 'has no token in its section [AUTH TOKENS]'],
    ['secret', ' \n\n', 'has no line with a token'],
  ])('refuses %s with %j: it would shut everybody out', (name, content, message) => {
    expect(() => withFile(name, content)).toThrow(UsageError);
    expect(() => withFile(name, content)).toThrow(message);
  });

  it('refuses a file that is not there, with the flag to name another', () => {
    expect(() => tokenAuthenticator(join(top, 'nosuch'))).toThrow(UsageError);
    expect(() => tokenAuthenticator(join(top, 'nosuch'))).toThrow(/ENOENT.*--tokenPath/);
  });

  it("looks in the original's place when no file is named", () => {
    expect(() => tokenAuthenticator('')).toThrow('socket_config.cfg');
  });
});

describe('openDoor', () => {
  it('lets everybody in', () => {
    expect(openDoor.accepts(undefined)).toBe(true);
    expect(openDoor.holdsToken('x')).toBe(false);
  });
});
