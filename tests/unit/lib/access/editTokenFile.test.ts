import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addToken, revokeToken } from '../../../../lib/access/editTokenFile.ts';
import { readTokenFile } from '../../../../lib/access/tokenFile.ts';
import { digestOf } from '../../../../lib/access/tokenValue.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const MIXED = `# who may
[OTHER]
x = 1

[AUTH TOKENS]
# alice is on leave
alice = t0ken-a
bob = t0ken
    goes on

# a word about viewers
[TOKEN viewer]
value = t0ken-v
scopes = read
# the end of viewers

[LATER]
y = 2
`;

function fileWith(content: string, name = 't.cfg'): string {
  const file = join(tempDir(), name);
  writeFileSync(file, content, { mode: 0o644 });
  return file;
}

const contentOf = (file: string) => readFileSync(file, 'utf8');
const namesIn = (file: string) => readTokenFile(file, true).map(({ name }) => name);

describe('addToken', () => {
  it('makes a file that nobody else can read, and keeps no token in the clear', () => {
    const file = join(tempDir(), 'new.cfg');
    const token = addToken(file, { name: 'a', limits: undefined, storedAs: 'sha256' });
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(contentOf(file)).not.toContain(token);
    expect(readTokenFile(file)).toMatchObject([
      { name: 'a', value: { digest: digestOf(token) }, grant: undefined },
    ]);
  });

  it('changes nothing else in the file', () => {
    const file = fileWith(MIXED);
    const token = addToken(file, { name: 'carol', limits: undefined, storedAs: 'plain' });
    addToken(file, { name: 'dora', limits: ['scopes = run, read'], storedAs: 'sha256' });
    const [before = '', after = ''] = MIXED.split('    goes on\n');
    const expected = `${before}    goes on\ncarol = ${token}\n${after}\n[TOKEN dora]\nvalue = sha256:`;
    expect(contentOf(file).slice(0, expected.length)).toBe(expected);
    expect(namesIn(file)).toEqual(['alice', 'bob', 'carol', 'viewer', 'dora']);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('keeps the line ends and the indents of the file, and a link to it', () => {
    const file = fileWith('[AUTH TOKENS]\r\n  a = one\r\n');
    const link = join(tempDir(), 'link.cfg');
    symlinkSync(file, link);
    addToken(link, { name: 'b', limits: undefined, storedAs: 'plain' });
    expect(contentOf(file)).toMatch(/^\[AUTH TOKENS\]\r\n {2}a = one\r\n {2}b = [\w-]{43}\r\n$/);
  });

  it.each([
    ['a name that is taken', { name: 'viewer', limits: undefined }, 'has a token viewer already'],
    ['a name with a bracket', { name: 'a]b', limits: undefined }, 'the name of a token'],
    ['a name with a line end', { name: 'a\n[x', limits: undefined }, 'the name of a token'],
    ['limits that cannot be', { name: 'a', limits: ['scopes = write'] }, 'no scope "write"'],
  ])('refuses %s, and leaves the file as it is', (_, asked, message) => {
    const file = fileWith(MIXED);
    expect(() => addToken(file, { ...asked, storedAs: 'sha256' })).toThrow(message);
    expect(contentOf(file)).toBe(MIXED);
  });

  it('refuses a file with a token a line', () => {
    const file = fileWith('one\n', 'secret');
    const asked = { name: 'a', limits: undefined, storedAs: 'sha256' } as const;
    expect(() => addToken(file, asked)).toThrow('ends in .cfg or .ini');
  });
});

describe('revokeToken', () => {
  it.each([
    ['alice', 'alice = t0ken-a\n'],
    ['bob', 'bob = t0ken\n    goes on\n'],
    ['viewer', '[TOKEN viewer]\nvalue = t0ken-v\nscopes = read\n'],
  ])('takes out %s and nothing else', (name, lines) => {
    const file = fileWith(MIXED);
    revokeToken(file, name);
    expect(contentOf(file)).toBe(MIXED.replace(lines, ''));
  });

  it('takes out a line by its number where a line is a token', () => {
    const file = fileWith('one\n\ntwo\n', 'secret');
    revokeToken(file, 'line 3');
    expect(contentOf(file)).toBe('one\n\n');
  });

  it('leaves a file that lets in nobody when the last one goes', () => {
    const file = fileWith('[TOKEN a]\nvalue = x\nscopes = read\n');
    revokeToken(file, 'a');
    expect(namesIn(file)).toEqual([]);
  });

  it.each(['carol', 'x', '__proto__'])('knows no token %s', (name) => {
    const file = fileWith(MIXED);
    expect(() => revokeToken(file, name)).toThrow(`has no token ${name}`);
  });

  it('undoes what addToken has done', () => {
    const name = fc.stringMatching(/^[a-z_][a-z.@-]{0,5}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 5 }),
        fc.array(fc.boolean()),
        (names, kinds) => {
          const file = fileWith(MIXED);
          const fresh = names.filter((one) => !['alice', 'bob', 'viewer'].includes(one));
          for (const [i, one] of fresh.entries()) {
            const limits = kinds[i] ? ['scopes = read'] : undefined;
            addToken(file, { name: one, limits, storedAs: 'sha256' });
          }
          for (const one of fresh) revokeToken(file, one);
          expect(contentOf(file).trimEnd()).toBe(MIXED.trimEnd());
        },
      ),
      { numRuns: 30 },
    );
  });
});
