import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { craftArchive } from '../helpers/archive.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

type Answer = readonly [number, Readonly<Record<string, unknown>>];

describe('clients of pfioh 2 and later', () => {
  const start = async () => {
    const store = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
    const ask = async (init: RequestInit): Promise<Answer> => {
      const answer = await fetch(`http://${address}/api/v1/cmd/`, { method: 'POST', ...init });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    const control = (message: unknown) =>
      ask({ body: JSON.stringify(message), headers: { Mode: 'control' } });
    const push = (meta: object) => {
      const body = new FormData();
      const transport = { mechanism: 'compress', compress: { archive: 'zip', unpack: true } };
      const all = { remote: { key: 'k' }, local: { path: 'x.zip' }, transport, ...meta };
      body.set('d_msg', JSON.stringify({ action: 'pushPath', meta: all }));
      body.set('filename', 'x.zip');
      body.set('local', new Blob([craftArchive([{ name: 'a.txt' }])]), 'x.zip');
      return ask({ body, headers: { Mode: 'file' } });
    };
    return { store, address, control, push };
  };

  it('find a postop in the report of each push, and the archive under the name they gave it', async () => {
    const { store, push } = await start();
    const none = { status: false, timestamp: expect.any(String) };
    expect(await push({})).toMatchObject([200, { write: { status: true }, postop: none }]);
    const kept = { mechanism: 'compress', compress: { archive: 'zip', unpack: false } };
    const file = join(store, 'key-k/x.zip');
    expect(await push({ transport: kept })).toMatchObject([200, { write: { file } }]);
    expect(existsSync(file)).toBe(true);
    const plugin = { specialHandling: { op: 'plugin', cleanup: true }, transport: kept };
    expect(await push({ ...plugin, remote: { key: 'p' } })).toMatchObject([
      200,
      {
        write: { file: join(store, 'key-p/x.zip') },
        postop: { op: 'plugin', status: true, incomingPath: join(store, 'key-p/incoming') },
      },
    ]);
  });

  it('see a key gone as soon as they have what the plugin left', async () => {
    const { store, address } = await start();
    for (let i = 0; i < 20; i += 1) {
      const outgoing = join(store, `key-${i}/outgoing`);
      mkdirSync(outgoing, { recursive: true });
      writeFileSync(join(outgoing, 'r.txt'), 'R');
      const specialHandling = { op: 'plugin', cleanup: true };
      const transport = { mechanism: 'compress', compress: { archive: 'zip' } };
      const meta = JSON.stringify({ remote: { key: String(i) }, specialHandling, transport });
      const query = new URLSearchParams({ action: 'pullPath', meta });
      const answer = await fetch(`http://${address}/?${query}`);
      expect(Buffer.from(await answer.arrayBuffer()).subarray(0, 2)).toEqual(Buffer.from('PK'));
      expect(existsSync(join(store, `key-${i}`))).toBe(false);
    }
  });

  it('list links as such, and get an empty list of what is not there', async () => {
    const { store, control } = await start();
    mkdirSync(join(store, 'key-k'));
    symlinkSync('nowhere', join(store, 'key-k/l'));
    expect(await control({ action: 'ls', meta: { key: 'k' } })).toMatchObject([
      200,
      { status: true, d_ls: { l: { type: 'symlink' } } },
    ]);
    const [status, answer] = await control({ action: 'ls', meta: { key: 'z' } });
    expect([status, answer]).toMatchObject([404, { status: false, d_ls: {} }]);
    expect(Object.keys(answer)).toEqual(['status', 'msg', 'd_ls', 'error']);
  });

  it('ask for variables, and send commands that nobody knows', async () => {
    const { control } = await start();
    const get = (name: string) =>
      control({ action: 'internalctl', meta: { var: name, get: 'value' } });
    expect(await get('name')).toEqual([200, { d_ret: { name: 'pfioh' }, status: true }]);
    expect(await get('constructor')).toMatchObject([400, { d_ret: {}, status: false }]);
    expect(await control({ action: 'hello', meta: {} })).toEqual([
      200,
      { stdout: { d_ret: { 'User-agent': 'node' }, status: false } },
    ]);
    expect(await control({ meta: { ctl: { serverCmd: 'dance' } } })).toEqual([
      200,
      { status: true, msg: '' },
    ]);
  });
});
