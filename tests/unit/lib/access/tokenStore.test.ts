import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Caller } from '../../../../lib/access/caller.ts';
import { Guesses } from '../../../../lib/access/guesses.ts';
import { OPEN_DOOR, TokenStore } from '../../../../lib/access/tokenStore.ts';
import { hashed } from '../../../../lib/access/tokenValue.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { doorOf, doorWith } from '../../../helpers/door.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const HERE = () => ['10.0.0.1'];
const STRONG = 'kT5kS0pVfQ1m9yYzWcE3h7uXb2LrNaJd';

async function codeFor(door: TokenStore, sent: string | undefined, from = HERE): Promise<string> {
  try {
    const { name } = await door.callerOf(sent, from);
    return `in: ${name}`;
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'));
  }
}

describe('TokenStore', () => {
  it.each(['t0ken', 'Bearer t0ken', 'bearer  t0ken ', 'Basic t0ken', '\tBearer\tt0ken'])(
    'lets in %j',
    async (value) => {
      expect(await codeFor(doorWith(['other', 't0ken']), value)).toBe('in: line 2');
    },
  );

  it.each([
    ...[undefined, '', ' ', 'Bearer', 'Bearer T0KEN', 't0ken x', 't0ke', 't0kent0ken'],
    'Bearer=t0ken',
  ])('refuses %j', async (value) => {
    expect(await codeFor(doorWith(['other', 't0ken']), value)).toBe('unauthorized');
  });

  it.each([
    ['X-Copy: t0ken!', 'X-Copy: ***!'],
    ['t0ken t0ken', '*** ***'],
    ['t0 ken', 't0 ken'],
    ['a $&-t0ken', 'a $&-***'],
    ['', ''],
  ])('shows %j as %j', (text, shown) => {
    expect(doorWith(['t0ken', 'other']).mask(text)).toBe(shown);
  });

  it('shows no rest of a token that begins with another one', () => {
    const door = doorWith(['t0ken', 't0ken-of-alice', 'not t0ken-of-alice']);
    expect(door.mask('t0ken-of-alice t0ken not t0ken-of-alice')).toBe('*** *** ***');
  });

  it('lets everybody in where tokens are off', async () => {
    expect(await OPEN_DOOR.callerOf(undefined, HERE)).toMatchObject({ from: ['10.0.0.1'] });
    expect(OPEN_DOOR.mask('Bearer x')).toBe('Bearer x');
  });

  it.each(['sha256', 'scrypt'] as const)('knows a token that is kept as %s', async (form) => {
    const door = doorOf(
      't.cfg',
      `[TOKEN x]\nvalue = ${hashed('s3cret', form)}\nscopes = read\n[AUTH TOKENS]\ny = other\n`,
    );
    expect(await codeFor(door, 'Bearer s3cret')).toBe('in: x');
    expect(await codeFor(door, 'Bearer wrong')).toBe('unauthorized');
    expect(await codeFor(door, hashed('s3cret', 'sha256'))).toBe('unauthorized');
    expect(await codeFor(door, 'other')).toBe('in: y');
    // The file does not show it: the answer must not either.
    expect((await door.callerOf('s3cret', HERE)).secret).toBe('s3cret');
  });

  it('makes a slow hash once for each token that is sent', async () => {
    const door = doorOf('t.cfg', `[AUTH TOKENS]\nx = ${hashed('s3cret', 'scrypt')}\n`);
    expect(door.callerOf('s3cret', HERE)).toBeInstanceOf(Promise);
    await door.callerOf('s3cret', HERE);
    expect(door.callerOf('s3cret', HERE)).not.toBeInstanceOf(Promise);
    await expect(async () => door.callerOf('wrong', HERE)).rejects.toThrow();
    expect(() => door.callerOf('wrong', HERE)).toThrow('not known');
  });

  it('refuses a token from its end on', async () => {
    const door = doorOf(
      't.cfg',
      '[TOKEN old]\nvalue = a\nscopes = read\nexpires = 2020-01-01\n' +
        '[TOKEN new]\nvalue = b\nscopes = read\nexpires = 2999-01-01\n',
    );
    expect(await codeFor(door, 'a')).toBe('unauthorized');
    expect(await codeFor(door, 'b')).toBe('in: new');
  });
});

describe('who guesses', () => {
  let now = 0;
  const tooMany = async (door: TokenStore, from = HERE) => {
    for (let i = 0; i < 1000; i += 1) {
      if ((await codeFor(door, `guess-${i}`, from)) === 'too_many_tries') return i;
    }
    return 1000;
  };

  it('needs more than a year for a million tokens', async () => {
    now = 0;
    const door = doorWith(['weak'], new Guesses(() => now));
    let looked = await tooMany(door);
    const day = 24 * 60 * 60 * 1000;
    for (; now < 30 * day; now += 8000) {
      if ((await codeFor(door, `more-${now}`)) === 'unauthorized') looked += 1;
    }
    expect((1_000_000 / looked) * 30).toBeGreaterThan(365);
  });

  it('is told when to come again, whether the token is right or not', async () => {
    now = 0;
    const door = doorWith(['weak'], new Guesses(() => now));
    await tooMany(door);
    expect(() => door.callerOf('weak', HERE)).toThrow(/too many wrong tokens/);
    try {
      await door.callerOf('weak', HERE);
    } catch (error) {
      expect(error).toMatchObject({ retryAfterSeconds: 32 });
    }
    now += 32_000;
    expect(await codeFor(door, 'weak')).toBe('in: line 1');
  });

  it('shuts out nobody else: not other addresses, nor strong tokens, nor those that were there before', async () => {
    const door = doorWith(['weak', STRONG, 'known']);
    expect(await codeFor(door, 'known')).toBe('in: line 3');
    await tooMany(door);
    expect(await codeFor(door, 'weak')).toBe('too_many_tries');
    expect(await codeFor(door, STRONG)).toBe('in: line 2');
    expect(await codeFor(door, 'known')).toBe('in: line 3');
    expect(await codeFor(door, 'weak', () => ['10.0.0.2'])).toBe('in: line 1');
  });

  it('gains nothing by other addresses of the same IPv6 network', async () => {
    const door = doorWith(['weak']);
    await tooMany(door, () => ['2001:db8:1:2::1']);
    expect(await codeFor(door, 'x', () => ['2001:db8:1:2:ffff::9'])).toBe('too_many_tries');
    expect(await codeFor(door, 'x', () => ['2001:db8:1:3::1'])).toBe('unauthorized');
  });

  it('is not somebody who sends the same wrong token again and again, or none', async () => {
    const door = doorWith(['weak']);
    for (let i = 0; i < 200; i += 1) {
      expect(await codeFor(door, 'an old one')).toBe('unauthorized');
      expect(await codeFor(door, undefined)).toBe('unauthorized');
    }
    expect(await codeFor(door, 'weak')).toBe('in: line 1');
  });
});

describe('a file that changes', () => {
  let file = '';
  let door: TokenStore;
  beforeEach(() => {
    file = join(tempDir(), 't.cfg');
    write('[AUTH TOKENS]\na = one\nb = two\n');
    door = TokenStore.open(file, silentLogger());
  });
  afterEach(() => door.close());

  function write(content: string): void {
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  const isIn = async (sent: string) => (await codeFor(door, sent)).startsWith('in');

  it('lets in new tokens, and stops revoked ones with what they have under way', async () => {
    const one: Caller = await door.callerOf('one', HERE);
    const two: Caller = await door.callerOf('two', HERE);
    write('[AUTH TOKENS]\nb = two\nc = three\n');
    await eventually(() => isIn('three'));
    expect(await isIn('one')).toBe(false);
    expect([one.revoked?.aborted, two.revoked?.aborted]).toEqual([true, false]);
  });

  it('also when it is written in place', async () => {
    writeFileSync(file, '[AUTH TOKENS]\nc = three\n');
    await eventually(() => isIn('three'));
  });

  it('stops a token whose limits have changed', async () => {
    write('[TOKEN a]\nvalue = one\nscopes = read, run\n');
    await eventually(async () => !(await isIn('two')));
    const { revoked } = await door.callerOf('one', HERE);
    write('[TOKEN a]\nvalue = one\nscopes = read\n');
    await eventually(() => revoked?.aborted === true);
  });

  it('lets in nobody when the last token is revoked', async () => {
    write('[AUTH TOKENS]\n');
    await eventually(async () => !(await isIn('one')));
  });

  it.each([
    ['cannot be understood', () => write('[AUTH TOKENS]\nbroken\n')],
    ['is empty', () => write('')],
    ['is gone', () => rmSync(file)],
    ['can be written by others', () => chmodSync(file, 0o606)],
  ])('counts as before when it %s, and the log says so', async (_, spoil) => {
    const log = silentLogger();
    const told = jest.spyOn(log, 'error');
    const own = TokenStore.open(file, log);
    try {
      spoil();
      await eventually(() => told.mock.calls.length > 0);
      expect(await codeFor(own, 'one')).toBe('in: a');
    } finally {
      own.close();
    }
  });
});

describe('at start', () => {
  it('warns of tokens that can be guessed, and shows none', () => {
    const log = silentLogger();
    const warned = jest.spyOn(log, 'warn');
    const file = join(tempDir(), 't.cfg');
    const weak = 'letmein';
    writeFileSync(file, `[AUTH TOKENS]\nweak = ${weak}\nstrong = ${STRONG}\n`, { mode: 0o644 });
    TokenStore.open(file, log).close();
    const lines = warned.mock.calls.map(([line]) => String(line));
    expect(lines).toEqual([
      expect.stringMatching(/others can read the tokens in .* \(mode 644\): chmod go-r/),
      expect.stringMatching(/the token weak can be guessed: about 32 bits .*7 characters out of/),
    ]);
    expect(lines.join()).not.toContain(weak);
  });

  it.each([
    ['by others', 0o602],
    ['by others and a group', 0o622],
  ])('refuses a file that can be written %s', (_, mode) => {
    const file = join(tempDir(), 'tokens');
    writeFileSync(file, 'x\n');
    chmodSync(file, mode);
    expect(() => TokenStore.open(file, silentLogger())).toThrow(/others can write/);
  });

  it('refuses a file behind a link that others can point elsewhere, also the second of two', () => {
    const [own, shared] = [tempDir(), tempDir()];
    const file = join(own, 'tokens');
    writeFileSync(file, 'x\n', { mode: 0o600 });
    symlinkSync(file, join(shared, 'second'));
    symlinkSync(join(shared, 'second'), join(own, 'first'));
    TokenStore.open(join(own, 'first'), silentLogger()).close();
    chmodSync(shared, 0o777);
    expect(() => TokenStore.open(join(own, 'first'), silentLogger())).toThrow(
      /others can replace the file of the tokens .*second/,
    );
  });

  it('refuses a file that others can replace, and takes one that a sticky folder protects', () => {
    const folder = tempDir();
    const file = join(folder, 'tokens');
    writeFileSync(file, 'x\n', { mode: 0o600 });
    chmodSync(folder, 0o777);
    expect(() => TokenStore.open(file, silentLogger())).toThrow(/others can replace/);
    chmodSync(folder, 0o1777);
    TokenStore.open(file, silentLogger()).close();
  });
});
