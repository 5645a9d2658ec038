import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { addToken, revokeToken } from '../../lib/access/editTokenFile.ts';
import { eventually } from '../helpers/eventually.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

/** A pfioh with tokens of these scopes, its store and its audit log. */
async function pfiohWith(scopes: readonly string[]) {
  const top = opened.folder();
  const store = join(top, 'store');
  const file = join(top, 'tokens.cfg');
  const audit = join(top, 'audit.log');
  mkdirSync(store);
  const tokens = scopes.map((scope) =>
    addToken(file, { name: scope, limits: [`scopes = ${scope}`], storedAs: 'sha256' }),
  );
  const pfioh = await opened.pfioh([
    ...['--storeBase', store, '--createDirsAsNeeded', '--enableTokenAuth', '--tokenPath', file],
    ...['--auditLog', audit],
  ]);
  const deeds = () =>
    readFileSync(audit, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...pfioh, top, store, file, audit, tokens, deeds };
}

async function send(address: string, token: string, message: object): Promise<[number, unknown]> {
  const answer = await fetch(`http://${address}/`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify(message),
  });
  return [answer.status, await answer.json()];
}

const QUIT = { action: 'quit', meta: { ctl: { serverCmd: 'quit' } } };

describe('pfioh with tokens that have scopes', () => {
  it('does what they say, tells which one is lacking, and writes down who did what', async () => {
    const { address, top, store, tokens, audit, deeds } = await pfiohWith(['transfer', 'read']);
    const [transfer = '', read = ''] = tokens;
    const local = join(top, 'a.txt');
    writeFileSync(local, 'content\n');
    const push = (token: string) =>
      opened.transfer(address, 'pushPath', { local, remote: { key: 'k' } }, ['--authToken', token]);

    expect((await push(read)).code).not.toBe(0);
    expect(existsSync(join(store, 'key-k'))).toBe(false);
    const lacks = (scope: string) => ({
      error: { code: 'forbidden', message: expect.stringContaining(`lacks the scope "${scope}"`) },
    });
    const ls = { action: 'ls', meta: { path: '.' } };
    const asked = [ls, { action: 'rmtree', meta: { key: 'k' } }];
    for (const message of asked) {
      const [status, said] = await send(address, read, message);
      expect(status).toBe(403);
      expect(said).toMatchObject(lacks('transfer'));
    }
    expect(await send(address, transfer, QUIT)).toMatchObject([403, lacks('admin')]);
    expect((await send(address, read, { action: 'hello', meta: {} }))[0]).toBe(200);

    expect((await push(transfer)).code).toBe(0);
    expect((await send(address, transfer, ls))[0]).toBe(200);

    await eventually(() => deeds().some((one) => one.action === 'ls' && one.status === 200));
    expect(deeds()).toContainEqual({
      ...{ time: expect.any(String), program: 'pfioh', token: 'transfer', from: '127.0.0.1' },
      ...{ action: 'push', path: 'k', bytes: expect.any(Number), status: 200 },
    });
    expect(deeds()).toContainEqual(
      expect.objectContaining({ token: 'read', action: 'rmtree', status: 403, error: 'forbidden' }),
    );
    const pushed = deeds().find((one) => one.action === 'push' && one.status === 200);
    expect(pushed?.bytes).toBeGreaterThan(8);
    const log = readFileSync(audit, 'utf8');
    for (const secret of [...tokens, 'Bearer', 'content']) expect(log).not.toContain(secret);
    expect(statSync(audit).mode & 0o777).toBe(0o600);
  });

  it('breaks off a pull whose token is revoked', async () => {
    const { address, store, tokens, file } = await pfiohWith(['transfer', 'read']);
    writeFileSync(join(store, 'large'), Buffer.alloc(64 * 1024 * 1024, 'x'));
    const meta = { remote: { path: 'large' }, transport: { compress: { archive: 'none' } } };
    const query = new URLSearchParams({ action: 'pullPath', meta: JSON.stringify(meta) });
    const headers = { Authorization: `Bearer ${tokens[0]}` };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`http://${address}/?${query}`, { headers }, resolve).on('error', reject);
    });
    expect(answer.statusCode).toBe(200);
    // Nobody reads on: it is under way until the token is revoked.
    const ended = new Promise<unknown>((resolve) => answer.once('error', resolve));
    revokeToken(file, 'transfer');
    // What is under way with the token is broken off, this question as well.
    await eventually(
      async () => (await send(address, tokens[0] ?? '', { action: 'hello', meta: {} }))[0] === 401,
    );
    answer.resume();
    expect(await ended).toMatchObject({ code: 'ECONNRESET' });
  });

  it('slows down who guesses', async () => {
    const { address, tokens } = await pfiohWith(['read']);
    let status = 0;
    for (let i = 0; i < 60; i += 1) [status] = await send(address, `guess-${i}`, QUIT);
    expect(status).toBe(429);
    expect((await send(address, tokens[0] ?? '', { action: 'hello', meta: {} }))[0]).toBe(200);
  });
});

it('pfioh does not start with a token file that others can write', async () => {
  const file = join(opened.folder(), 'tokens');
  writeFileSync(file, 'letmein\n');
  chmodSync(file, 0o606);
  const program = opened.start('pfioh', ['--enableTokenAuth', '--tokenPath', file, '--port', '0']);
  const { code, stderr } = await program.ended;
  expect(code).toBe(2);
  expect(stderr).toContain(`pfioh: others can write the tokens in ${file}`);
});
