import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { startServer } from '../helpers/startServer.ts';
import { Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
jest.setTimeout(30_000);

async function setUp(serveforever: boolean) {
  const server = await startServer({ flags: ['--http'] });
  opened.onClose(async () => void (await server.stop()));
  const reply = await server.post('fileiosetup', { serveforever });
  const { fileioIP, fileioport } = reply.d_ret as Record<string, string>;
  const folder = opened.folder();
  mkdirSync(join(folder, 'there'));
  writeFileSync(join(folder, 'f'), 'content');
  const push = (remote: string) =>
    opened.purl([
      ...['--quiet', '--fail', '--retries', '0', '--http', `${fileioIP}:${fileioport}`],
      ...['--msg', transferMessage('pushPath', { local: join(folder, 'f'), remote })],
    ]);
  return { folder, push };
}

describe('fileiosetup of pman', () => {
  afterEach(() => opened.close());

  it('opens a file server for one transfer, which takes more than one request', async () => {
    const { folder, push } = await setUp(false);
    // What fails is no transfer: the endpoint stays for the one that works.
    expect((await push(join(folder, 'f/x'))).code).toBe(1);
    expect(await push(join(folder, 'there'))).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(folder, 'there/f'), 'utf8')).toBe('content');
    expect((await push(join(folder, 'there'))).code).toBe(7);
  });

  it('opens one for as long as pman runs', async () => {
    const { folder, push } = await setUp(true);
    for (const place of ['one', 'two', 'three']) {
      mkdirSync(join(folder, place));
      expect((await push(join(folder, place))).code).toBe(0);
      expect(existsSync(join(folder, place, 'f'))).toBe(true);
    }
  });
});
