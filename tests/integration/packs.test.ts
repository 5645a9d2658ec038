import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  asBlock,
  asDeflatedBlocks,
  type CraftedRecord,
  craftPack,
  sameNoise,
} from '../helpers/packs.ts';
import { Opened, treeOf } from '../helpers/transfer.ts';

const opened = new Opened();
let top = '';
let store = '';
let address = '';
beforeEach(async () => {
  top = opened.folder();
  store = join(top, 'store');
  mkdirSync(store);
  ({ address } = await opened.pfioh(['--storeBase', store, '--maxUnpack', '2M']));
});
afterEach(() => opened.close());

/** Pushes a pack, as a client may write it. */
async function pushPack(pack: Buffer, compress: object = { archive: 'pack', unpack: true }) {
  const meta = {
    local: { path: 'x' },
    remote: { path: '.' },
    transport: { mechanism: 'compress', compress: { encoding: 'none', ...compress } },
  };
  const body = new FormData();
  body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
  body.set('encoding', 'none');
  body.set('local', new Blob([pack]), 'x');
  const answer = await fetch(`http://${address}/`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text() };
}

async function ask(action: string, meta: object) {
  const body = JSON.stringify({ action, meta });
  const answer = await fetch(`http://${address}`, { method: 'POST', body });
  return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
}

/** A way to pfioh that calls back when an answer to this action has passed, and counts what passes to it. */
async function watched(action: string, onAnswer: () => void = () => {}) {
  const [host = '', port = ''] = address.split(':');
  let sent = 0;
  const server = createServer((asked, answer) => {
    const { method, url: path, headers } = asked;
    let text = '';
    const there = request({ host, port, method, path, headers }, (came) => {
      if (text.includes(`"action":"${action}"`)) onAnswer();
      answer.writeHead(came.statusCode ?? 0, came.headers);
      came.pipe(answer);
    });
    asked.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      text ||= chunk.toString('latin1', 0, 200);
    });
    asked.pipe(there);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.onClose(() => void server.close());
  const bound = server.address();
  const way = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
  return { way, sent: () => sent };
}

describe('a pack that is pushed', () => {
  it.each<[string, CraftedRecord[], number]>([
    ['a name with ..', [{ kind: 'file', name: '../evil' }], 400],
    ['an absolute name', [{ kind: 'pieces', name: '/tmp/evil', content: 'x' }], 400],
    ['a link that climbs', [{ kind: 'link', name: 'l', content: '../..' }], 403],
    ['a link to an absolute path', [{ kind: 'link', name: 'l', content: '/etc' }], 403],
    [
      'a file behind a link',
      [
        { kind: 'link', name: 'l', content: '.' },
        { kind: 'file', name: 'l/evil' },
      ],
      400,
    ],
    [
      'the same name twice',
      [
        { kind: 'file', name: 'a' },
        { kind: 'file', name: 'a' },
      ],
      400,
    ],
    ['a patch of a file that is not there', [{ kind: 'patch', name: 'a', copies: [[0, 1]] }], 409],
  ])('with %s is refused, and nothing of it is kept', async (_what, records, expected) => {
    const first: CraftedRecord = { kind: 'file', name: 'first', content: 'x' };
    expect((await pushPack(asBlock(craftPack([first, ...records])))).status).toBe(expected);
    expect(readdirSync(store)).toEqual([]);
    expect(readdirSync(top)).toEqual(['store']);
  });

  it('that is a bomb is refused, and nothing of it is kept', async () => {
    const content = 'x'.repeat(60_000);
    const record = (_: unknown, i: number) => ({ kind: 'file' as const, name: `f${i}`, content });
    const pack = craftPack(Array.from({ length: 200 }, record));
    const { status, text } = await pushPack(asDeflatedBlocks(pack));
    expect(status).toBe(413);
    expect(text).toContain('are allowed');
    expect(readdirSync(store)).toEqual([]);
  });

  it('is not stored as it is, which would be a file that nobody can read', async () => {
    const pack = asBlock(craftPack([{ kind: 'file', name: 'a', content: 'text' }]));
    expect((await pushPack(pack, { archive: 'pack', unpack: false })).status).toBe(400);
    expect(readdirSync(store)).toEqual([]);
    expect((await pushPack(pack)).status).toBe(200);
    expect(readFileSync(join(store, 'a'), 'utf8')).toBe('text');
  });
});

describe('a large file that was changed', () => {
  function makeFolder(): { readonly source: string; readonly data: Buffer } {
    const source = join(top, 'src');
    mkdirSync(source);
    const data = sameNoise(12_000_000);
    writeFileSync(join(source, 'small'), 'text');
    writeFileSync(join(source, 'data.bin'), data);
    return { source, data };
  }

  const same = (one: string, other: string) => {
    const [a, b] = [treeOf(one), treeOf(other)];
    delete a[''];
    delete b[''];
    expect(a).toEqual(b);
  };

  it('is sent by what has changed in it', async () => {
    const { source, data } = makeFolder();
    const { way, sent } = await watched('chunks');
    const push = async () => {
      const before = sent();
      expect(await opened.purl(['push', source, `${way}:.`, '--quiet'])).toMatchObject({ code: 0 });
      same(source, store);
      return sent() - before;
    };
    expect(await push()).toBeGreaterThan(12_000_000);
    data[5_000_000] = (data[5_000_000] ?? 0) ^ 1;
    writeFileSync(join(source, 'data.bin'), data);
    expect(await push()).toBeLessThan(600_000);
    const longer = [data.subarray(0, 1_000_000), Buffer.from('put in'), data.subarray(1_000_000)];
    writeFileSync(join(source, 'data.bin'), Buffer.concat(longer));
    expect(await push()).toBeLessThan(600_000);
  });

  it('is sent as a whole when the one on the other side changes meanwhile', async () => {
    const { source, data } = makeFolder();
    writeFileSync(join(store, 'data.bin'), data);
    appendFileSync(join(source, 'data.bin'), 'more');
    const { way, sent } = await watched('chunks', () => {
      writeFileSync(join(store, 'data.bin'), 'something else');
    });
    const pushed = await opened.purl(['push', source, `${way}:.`, '--quiet']);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    same(source, store);
    expect(sent()).toBeGreaterThan(12_000_000);
  });

  it('is told of by pfioh as its digests are: nothing of what links lead to, nor of what is outside', async () => {
    writeFileSync(join(top, 'secret'), 'secret');
    writeFileSync(join(store, 'file'), 'secret');
    symlinkSync('../secret', join(store, 'link'));
    symlinkSync('..', join(store, 'up'));
    const chunks = async (file: string, path = '.', bits = 16) => {
      const { status, said } = await ask('chunks', { path, file, bits });
      return status === 200 ? said.chunks : status;
    };
    expect(await chunks('file')).toEqual([[6, expect.any(String)]]);
    for (const name of ['link', 'up/secret', 'up', 'none']) expect(await chunks(name)).toBeNull();
    expect(await chunks('file', 'not/there')).toBeNull();
    expect(await chunks('../secret')).toBe(400);
    expect(await chunks('secret', '..')).toBe(403);
    expect(await chunks('file', '.', 3)).toBe(400);
  });
});
