import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readTokenFile, type Token, tokensIn } from '../../../../lib/access/tokenFile.ts';
import { UsageError } from '../../../../lib/errors.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

function withFile(name: string, content: string): readonly Token[] {
  const file = join(tempDir(), name);
  writeFileSync(file, content);
  return readTokenFile(file);
}

const textOf = ({ value }: Token) => (value.kind === 'digest' ? value.plain : undefined);
const textsIn = (name: string, content: string) => withFile(name, content).map(textOf);

describe('the section [AUTH TOKENS]', () => {
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

  it.each(['pman_config.cfg', 'tokens.ini', 'x.cfg.old'])('is read in %s', (name) => {
    expect(textsIn(name, INI)).toEqual(['t0ken-a', 't0ken-b', 't0ken-c', 'p;q#r "s']);
  });

  it.each(['p;q#r', '"quoted"', 'a=b:c', '%(x)s'])('holds the whole of the token %s', (token) => {
    expect(textsIn('t.cfg', `[AUTH TOKENS]\r\nalice = ${token}\r\n`)).toEqual([token]);
  });

  it.each([
    ['a =\n    t0ken', ['t0ken']],
    ['a = one\n  b = two\nc = three', ['one\nb = two', 'three']],
    ['  a = one\n  b = two', ['one', 'two']],
    ['[X]\nx = no\n  nor this\n[AUTH TOKENS]\n b = two', ['one', 'two']],
  ])('takes deeper lines for the rest of a value, as Python does: %j', (lines, tokens) => {
    const first = lines.startsWith('[') ? 'first = one\n' : '';
    const read = textsIn('t.cfg', `[AUTH TOKENS]\n${first}${lines}\n`);
    expect(read.map((text) => text?.trim())).toEqual(tokens);
  });

  it('gives tokens that are good for everything, by their names', () => {
    const read = withFile('t.cfg', '[AUTH TOKENS]\na.b = one\n__proto__ = two\n');
    expect(read.map(({ name, grant }) => [name, grant])).toEqual([
      ['a.b', undefined],
      ['__proto__', undefined],
    ]);
  });

  it('takes nothing from [DEFAULT] for a token', () => {
    expect(textsIn('t.cfg', '[DEFAULT]\ndebug = true\n[AUTH TOKENS]\na = one\n')).toEqual(['one']);
  });

  it('names the line of a token that lacks its name, and does not show it', () => {
    const content = '[AUTH TOKENS]\nalice = t0ken\n\nb4re\n';
    expect(() => withFile('t.cfg', content)).toThrow(UsageError);
    expect(() => withFile('t.cfg', content)).toThrow(/t\.cfg, line 4: .*"name = token"$/);
  });
});

describe('a section [TOKEN name]', () => {
  it('is a token with limits', () => {
    const [token] = withFile(
      't.ini',
      `[TOKEN viewer]
value = s3cret;#"x
Scopes = read, run
auid = chris
images = fnndsc/*, ubuntu:24.04
commands = /usr/bin/true
    /usr/bin/echo a,b *
mounts:
shareDirs = /data/chris/**
expires = 2027-01-31
`,
    );
    expect(token).toMatchObject({ name: 'viewer', expiresAt: Date.UTC(2027, 0, 31) });
    expect(token?.grant).toEqual({
      scopes: new Set(['read', 'run']),
      auid: 'chris',
      images: ['fnndsc/*', 'ubuntu:24.04'],
      commands: ['/usr/bin/true', '/usr/bin/echo a,b *'],
      mounts: [],
      shareDirs: ['/data/chris/**'],
    });
    expect(token && textOf(token)).toBe('s3cret;#"x');
  });

  it.each([
    ['without a value', 'scopes = read', 'line 1: the token x has no value'],
    ['without scopes', 'value = v', 'line 1: the token x has no scopes'],
    ['with an unknown scope', 'value = v\nscopes = write', 'line 3: there is no scope "write"'],
    [
      'with a misspelt key',
      'value = v\nscopes = read\nexpire = 2027-01-01',
      'line 4: a token has no "expire"',
    ],
    ['with a key twice', 'value = v\nscopes = read\nscopes = run', 'line 4: "scopes" is there'],
    ['with __proto__', 'value = v\nscopes = read\n__proto__ = x', 'line 4: a token has no'],
    ['that never ends', 'value = v\nscopes = read\nexpires = soon', 'line 4: expires is a date'],
    ['with a hash that is none', 'value = sha256:12\nscopes = read', 'line 2: this is no hash'],
    ['for all and for one', 'value = v\nscopes = admin\nauid = a', 'the token x: "admin" is about'],
    ['with a bare line', 'value = v\nscopes = read\nb4re', 'line 4: a token is written'],
  ])('is refused %s, with the line', (_, lines, message) => {
    expect(() => withFile('t.cfg', `[TOKEN x]\n${lines}\n`)).toThrow(UsageError);
    expect(() => withFile('t.cfg', `[TOKEN x]\n${lines}\n`)).toThrow(message);
  });

  it('is refused when its name is taken', () => {
    const twice = '[AUTH TOKENS]\nx = a\n[TOKEN x]\nvalue = v\nscopes = read\n';
    expect(() => withFile('t.cfg', twice)).toThrow('line 3: there is a token x in line 2 already');
  });
});

describe('readTokenFile', () => {
  it('reads any other file as one token a line', () => {
    const content = '\n  one \r\n\ntwo\n# three\n';
    expect(textsIn('secret', content)).toEqual(['one', 'two', '# three']);
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
    const missing = join(tempDir(), 'nosuch');
    expect(() => readTokenFile(missing)).toThrow(UsageError);
    expect(() => readTokenFile(missing)).toThrow(/ENOENT.*--tokenPath/);
  });

  it('never shows a token in an error, whatever the file says', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ =:;#[\]A-Za-z\n]{0,12}$/)), (pieces) => {
        const secret = 'S3CR3TS3CR3T';
        try {
          tokensIn(`[TOKEN a]\nvalue = ${secret}\n${pieces.join('\n')}`, 't.cfg');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect(String(error)).not.toContain(secret);
        }
      }),
    );
  });
});
