import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

const PLAIN = { compress: { archive: 'none', encoding: 'none' } };

describe('a name that no file can have', () => {
  it.each([
    ['too long', 'n'.repeat(256), 'name_too_long'],
    ['too long in another alphabet', 'ж'.repeat(128), 'name_too_long'],
    ['with NUL', 'a\0b', 'bad_request'],
    ['in a path that is too long', Array(30).fill('d'.repeat(200)).join('/'), 'name_too_long'],
  ])('is refused with 400, and nothing is said of this server: %s', async (_what, bad, code) => {
    const store = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
    const url = `http://${address}/`;
    const get = (meta: object) =>
      fetch(`${url}?${new URLSearchParams({ action: 'pullPath', meta: JSON.stringify(meta) })}`);
    const say = (message: object) => fetch(url, { method: 'POST', body: JSON.stringify(message) });
    const push = (local: object, remote: object) => {
      const form = new FormData();
      const meta = { local, remote, transport: PLAIN };
      form.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
      form.set('encoding', 'none');
      form.set('local', new Blob(['x']), 'f');
      return fetch(url, { method: 'POST', body: form });
    };
    const answers = [
      get({ remote: { path: bad }, transport: { checkRemote: true } }),
      get({ remote: { path: bad }, transport: PLAIN }),
      push({ path: 'f' }, { path: bad }),
      say({ action: 'ls', meta: { path: bad } }),
      say({ action: 'ls', meta: { key: 'k', subdir: bad } }),
      say({ action: 'rmtree', meta: { path: bad } }),
      // Of a path only the last name is one of the place that it goes to.
      ...(bad.includes('/') ? [] : [push({ path: bad }, { path: '.' })]),
    ];
    for (const answer of await Promise.all(answers)) {
      const text = await answer.text();
      expect(text).not.toContain(store);
      const { error } = JSON.parse(text) as { error?: { code: string } };
      expect([answer.status, error?.code]).toEqual([400, code]);
    }
    expect(readdirSync(store)).toEqual([]);
  });

  it('has a status of its own in purl, by what was to be done with it', async () => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    const long = join(opened.folder(), 'n'.repeat(256));
    const code = async (action: string, local: string, remote: string) =>
      (
        await opened.purl([
          ...['--quiet', '--fail', '--http', address],
          ...['--msg', transferMessage(action, { local, remote, archive: 'none' })],
        ])
      ).code;
    const file = join(opened.folder(), 'f');
    writeFileSync(file, '');
    expect(await code('pushPath', long, '.')).toBe(26);
    expect(await code('pullPath', long, '.')).toBe(23);
    expect(await code('pushPath', file, 'n'.repeat(256))).toBe(1);
  });
});

describe('what pfioh refuses', () => {
  it('names places as they are called in the store', async () => {
    const store = opened.folder();
    mkdirSync(join(store, 'key-k'));
    writeFileSync(join(store, 'key-k/f'), '');
    const { address } = await opened.pfioh(['--storeBase', store]);
    for (const meta of [{ key: 'none' }, { key: 'k', subdir: 'f' }, { path: `${store}/x` }]) {
      for (const action of ['ls', 'rmtree']) {
        const body = JSON.stringify({ action, meta });
        const answer = await fetch(`http://${address}/`, { method: 'POST', body });
        if (answer.status === 200) continue;
        expect(await answer.text()).not.toContain(store);
      }
    }
  });
});
