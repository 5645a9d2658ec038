import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../../lib/errors.ts';
import { contextNames } from '../../../../lib/verbs/contextNames.ts';
import { readWords } from '../../../../lib/verbs/flagWords.ts';
import { SERVER_FLAGS, serverPlace } from '../../../../lib/verbs/serverPlace.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const LAB_FILE = { url: 'https://pman.lab:5010', tokenFile: '~/tok' };

describe('the server that is meant', () => {
  let home: string;
  let file: string;
  beforeEach(() => {
    home = tempDir();
    file = join(home, '.config/pman/contexts.json');
    mkdirSync(join(home, '.config/pman'), { recursive: true });
  });
  const place = (argv: string[] = [], env: Record<string, string> = {}) =>
    serverPlace(readWords(argv, SERVER_FLAGS), { HOME: home, ...env });
  const write = (value: unknown, mode = 0o600) => {
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    chmodSync(file, mode);
  };
  const lab = { url: 'https://pman.lab:5010', token: 'secret', auid: 'ana' };

  it('is the one of this host by default; flags win over the environment, that over the context', () => {
    expect(place()).toEqual({ url: 'http://localhost:5010' });
    write({ current: 'lab', contexts: { lab, here: { url: 'http://localhost:1' } } });
    expect(place()).toMatchObject(lab);
    expect(place(['--context', 'here'])).toMatchObject({
      url: 'http://localhost:1',
      token: undefined,
    });
    expect(place([], { PMAN_CONTEXT: 'here' }).url).toBe('http://localhost:1');
    expect(place([], { PMAN_URL: 'pman.other:80' }).url).toBe('http://pman.other:80');
    expect(place(['--server', 'http://x'], { PMAN_URL: 'http://y' }).url).toBe('http://x');
  });

  it('gets the token of its context, and no other server does', () => {
    write({ current: 'lab', contexts: { lab } });
    expect(place(['--server', 'http://elsewhere:5010']).token).toBeUndefined();
    expect(place([], { PMAN_TOKEN: 'mine' }).token).toBe('mine');
    expect(place(['--token', 'flag'], { PMAN_TOKEN: 'mine' }).token).toBe('flag');
    const own = join(home, 'token');
    writeFileSync(own, 'from-file\n', { mode: 0o600 });
    expect(place(['--token-file', own], { PMAN_TOKEN: 'mine' }).token).toBe('from-file');
    expect(place([], { PMAN_TOKEN_FILE: own }).token).toBe('from-file');
  });

  it('gets no token that cannot be sent, and it is said where that is from', () => {
    expect(() => place(['--token', 'a\nb'])).toThrow('the token of --token cannot be sent');
    expect(() => place([], { PMAN_TOKEN: 'a€' })).toThrow('the token of PMAN_TOKEN cannot be sent');
    const own = join(home, 'token');
    writeFileSync(own, 'one\ntwo\n', { mode: 0o600 });
    expect(() => place(['--token-file', own])).toThrow(`the token of ${own} cannot be sent`);
    write({ current: 'lab', contexts: { lab: { ...lab, token: 'a\0' } } });
    expect(() => place()).toThrow(UsageError);
    expect(place(['--token', 'é\t~']).token).toBe('é\t~');
  });

  it('is not taken from a file with tokens that others can read', () => {
    write({ current: 'lab', contexts: { lab } }, 0o644);
    expect(() => place()).toThrow('holds a token, and others may read it');
    write({ current: 'lab', contexts: { lab: { url: lab.url } } }, 0o644);
    expect(place().url).toBe(lab.url);
    const own = join(home, 'token');
    writeFileSync(own, 'x', { mode: 0o644 });
    expect(() => place(['--token-file', own])).toThrow('others may read it');
  });

  it.each([
    ['{', 'it is no JSON'],
    ['[]', 'it has no "contexts"'],
    [{ contexts: {}, current: 'x' }, 'no context "x"'],
    [{ contexts: { x: { url: 5 } }, current: 'x' }, '"x": "url" is no text'],
    [{ contexts: { x: { adress: 'a' } }, current: 'x' }, '"x": "adress" is no text'],
  ])('a file of %j is refused: %s', (value, message) => {
    write(value);
    expect(() => place()).toThrow(message);
  });

  it.each(['ftp://x', 'http://', 'a b', '://x'])('%j is no address', (url) => {
    expect(() => place(['--server', url])).toThrow('is no address of a server');
  });

  it('takes a file that an editor of Windows has written, and a token in the home', () => {
    write(`\uFEFF${JSON.stringify({ contexts: { lab: { ...LAB_FILE, ca: '~/ca.pem' } } })}`);
    writeFileSync(join(home, 'tok'), '\uFEFFin-home\r\n', { mode: 0o600 });
    expect(place(['--context', 'lab'])).toMatchObject({
      ...{ token: 'in-home', ca: join(home, 'ca.pem') },
    });
    expect(contextNames({ HOME: home }).names).toEqual(['lab']);
    expect(place(['--token-file=~/tok']).token).toBe('in-home');
  });

  it.each([
    ['a context', ['--context', 'none']],
    ['the file of a token', ['--token-file', '/no/such']],
  ])('ends the verb as a server that is not there when it lacks %s', (_, argv) => {
    let error: unknown;
    try {
      place(argv);
    } catch (thrown) {
      error = thrown;
    }
    // That is the verb's own code: 1 of `ls`, 125 of `run`.
    expect(error).toMatchObject({ name: 'CannotError', exitCode: undefined });
  });

  it.each(['', ' \n'])('says that the file of a token is empty, and asks no server: %j', (text) => {
    const file = join(home, 'empty');
    writeFileSync(file, text, { mode: 0o600 });
    expect(() => place(['--token-file', file])).toThrow(`${file} holds no token: it is empty`);
  });

  it('says when a context is named and there is no file', () => {
    expect(() => place(['--context', 'lab'])).toThrow('no context "lab"');
    expect(() => place(['--token-file', join(home, 'none')])).toThrow('cannot read the token');
  });
});
