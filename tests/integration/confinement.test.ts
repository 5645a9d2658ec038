import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { craftArchive } from '../helpers/archive.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
let folder = '';
let store = '';
let address = '';

beforeEach(async () => {
  folder = opened.folder();
  store = join(folder, 'store');
  mkdirSync(join(store, 'in'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'secret');
  ({ address } = await opened.pfioh([
    '--storeBase',
    store,
    '--createDirsAsNeeded',
    '--maxUnpack',
    '1M',
  ]));
});
afterEach(() => opened.close());

type Answer = { status: number; body: Record<string, unknown> };

async function ask(meta: unknown): Promise<Answer> {
  const query = new URLSearchParams({ action: 'pullPath', meta: JSON.stringify(meta) });
  const answer = await fetch(`http://${address}/?${query}`);
  const text = await answer.text();
  return {
    status: answer.status,
    body: JSON.parse(text.startsWith('{') ? text : '{}') as Record<string, unknown>,
  };
}

async function push(
  content: Buffer,
  name = 'src',
  remote: object = { path: 'in' },
): Promise<Answer> {
  const form = new FormData();
  const transport = { compress: { encoding: 'none', archive: 'zip', unpack: true } };
  form.set(
    'd_msg',
    JSON.stringify({ action: 'pushPath', meta: { local: { path: name }, remote, transport } }),
  );
  form.set('encoding', 'none');
  form.set('filename', 'x.zip');
  form.set('local', new Blob([content]), 'x.zip');
  const answer = await fetch(`http://${address}/`, { method: 'POST', body: form });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function control(action: string, meta: unknown): Promise<Answer> {
  const answer = await fetch(`http://${address}/`, {
    method: 'POST',
    body: JSON.stringify({ action, meta }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe('a pfioh with a store', () => {
  it.each([['/etc/passwd'], ['../secret'], ['in/../../secret'], ['/']])(
    'sends nothing from %s',
    async (path) => {
      const { status, body } = await ask({ remote: { path }, transport: { compress: {} } });
      expect(status).toBe(403);
      expect(body).toMatchObject({ status: false, error: { code: 'forbidden' } });
    },
  );

  it('follows no link out of the store', async () => {
    symlinkSync(folder, join(store, 'way out'));
    symlinkSync(join(folder, 'new'), join(store, 'dangling'));
    expect(
      (await ask({ remote: { path: 'way out/secret' }, transport: { compress: {} } })).status,
    ).toBe(403);
    expect((await push(craftArchive([{ name: 'a' }]), 'src', { path: 'way out' })).status).toBe(
      403,
    );
    expect((await push(craftArchive([{ name: 'a' }]), 'src', { path: 'dangling' })).status).toBe(
      403,
    );
    expect((await push(craftArchive([{ name: 'way out/a' }]), 'src', { path: '.' })).status).toBe(
      403,
    );
    expect(readdirSync(folder).sort()).toEqual(['secret', 'store']);
  });

  it.each([['a/b'], ['..'], ['../../x'], ['nul\0']])('refuses the key %j', async (key) => {
    const { status } = await ask({ remote: { key }, transport: { checkRemote: true } });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(readdirSync(store)).toEqual(['in']);
  });

  it.each<[string, Parameters<typeof craftArchive>[0]]>([
    ['a name with ..', [{ name: 'fine' }, { name: '../evil' }]],
    ['.. in the middle', [{ name: 'a/../../evil' }]],
    ['an absolute name', [{ name: '/tmp/evil' }]],
    ['NUL in a name', [{ name: 'a\0b' }]],
    ['a link to an absolute path', [{ name: 'l', content: '/etc', mode: 0o120777 }]],
    ['a link that climbs', [{ name: 'src/l', content: '../..', mode: 0o120777 }]],
    [
      'a link that climbs behind another',
      [{ name: 'src/l', content: 'a/../../..', mode: 0o120777 }],
    ],
    ['a file behind a link', [{ name: 'l', content: 'x', mode: 0o120777 }, { name: 'l/evil' }]],
    ['the same name twice', [{ name: 'a' }, { name: 'a' }]],
    ['a device', [{ name: 'dev', mode: 0o020666 }]],
    ['a pipe', [{ name: 'pipe', content: '', mode: 0o010666 }]],
    [
      'a link that climbs beside other entries',
      [{ name: 'a' }, { name: 'src/l', content: '../..', mode: 0o120777 }],
    ],
    ['a length that is a lie', [{ name: 'a', content: 'x'.repeat(5000), claims: 10 }]],
    [
      'a long file that is longer than it says',
      [{ name: 'a', content: Buffer.alloc(900_000), claims: 300_000 }],
    ],
    ['a bomb', [{ name: 'a', content: Buffer.alloc(30_000_000) }]],
    [
      'a bomb in parts',
      Array.from({ length: 60 }, (_, i) => ({ name: `a${i}`, content: Buffer.alloc(500_000) })),
    ],
  ])('refuses an archive with %s and keeps nothing of it', async (_name, entries) => {
    const { status, body } = await push(craftArchive(entries));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body.status).toBe(false);
    expect(readdirSync(join(store, 'in'))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['secret', 'store']);
  });

  it('says what is wrong with a push that is no archive', async () => {
    const { status, body } = await push(Buffer.from('no archive'));
    expect(status).toBe(400);
    expect(String(body.msg)).toMatch(/not a zip archive/);
  });

  it('takes an archive that stays inside', async () => {
    const { status } = await push(
      craftArchive([{ name: 'src/a' }, { name: 'src/l', content: 'a', mode: 0o120777 }]),
    );
    expect(status).toBe(200);
    expect(readdirSync(join(store, 'in/src')).sort()).toEqual(['a', 'l']);
  });

  it('removes keys, but neither the store nor what lies outside', async () => {
    mkdirSync(join(store, 'key-k/sub'), { recursive: true });
    expect((await control('rmtree', { path: folder })).status).toBe(403);
    expect((await control('rmtree', { path: '.' })).status).toBe(403);
    expect((await control('ls', { key: 'k', subdir: '../..' })).status).toBe(403);
    expect((await control('rmtree', { key: 'k' })).body).toMatchObject({ status: true });
    expect(existsSync(join(store, 'key-k'))).toBe(false);
  });

  it('does not let a client move the store', async () => {
    expect((await control('internalctl', { var: 'storeBase', set: '/' })).status).toBe(403);
    const { body } = await control('internalctl', { var: 'storeBase', get: 'value' });
    expect(body).toEqual({ d_ret: { storeBase: store }, status: true });
  });

  it('never runs the text of meta', async () => {
    const meta = `__import__('os').system('touch ${join(folder, 'ran')}')`;
    const answer = await fetch(
      `http://${address}/?${new URLSearchParams({ action: 'pullPath', meta })}`,
    );
    expect(answer.status).toBe(400);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });
});
