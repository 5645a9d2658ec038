import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { temporaryNames } from '../helpers/temporaryNames.ts';
import { eventually, Opened, type Program, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

const SIZE = 40 * 1024 * 1024;
const HELD_AFTER = 12 * 1024 * 1024;

/** A way to a server that stops passing bytes on after a while, in one direction. */
async function narrow(
  address: string,
  direction: 'up' | 'down',
): Promise<{ address: string; open: () => void; cut: () => void }> {
  const [host = '', port = '0'] = address.split(':');
  let limit = HELD_AFTER;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    let passed = 0;
    for (const [from, to, counts] of [
      [client, upstream, direction === 'up'],
      [upstream, client, direction === 'down'],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        to.write(chunk);
        if (counts) passed += chunk.length;
        if (counts && passed > limit) from.pause();
      });
      from.on('error', () => {});
      from.on('close', () => to.destroySoon());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  const own = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    address: `127.0.0.1:${own}`,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    open: () => {
      limit = Number.POSITIVE_INFINITY;
    },
  };
}

function setUp() {
  const folder = opened.folder();
  const store = join(folder, 'store');
  const local = join(folder, 'local');
  mkdirSync(store);
  mkdirSync(local);
  const content = randomBytes(SIZE);
  return { store, local, content };
}

function purl(
  address: string,
  action: string,
  options: Parameters<typeof transferMessage>[1],
  flags: string[] = [],
): Program {
  return opened.start('purl', [
    '--quiet',
    '--fail',
    ...flags,
    '--http',
    address,
    '--msg',
    transferMessage(action, options),
  ]);
}

const form = { archive: 'none', encoding: 'none' };
const isOwn = (name: string) => name.startsWith('.pfioh-');

/** Whether a process has something for a folder that is not whole: under a name of ours, or without a name where that can be. */
const inTransit = (folder: string, { child }: Program) =>
  readdirSync(folder).some(isOwn) ||
  openFiles(child.pid).some((file) => file.startsWith(`${folder}/`) && file.endsWith(' (deleted)'));

function openFiles(pid: number | undefined): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(join(folder, fd))];
    } catch {
      return []; // closed meanwhile
    }
  });
}

describe('an interrupted transfer', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'leaves the old content and nothing else when purl gets %s during a push',
    async (signal) => {
      const { store, local, content } = setUp();
      writeFileSync(join(local, 'f'), content);
      writeFileSync(join(store, 'f'), 'old');
      const server = await opened.pfioh(['--storeBase', store]);
      const way = await narrow(server.address, 'up');
      const client = purl(way.address, 'pushPath', {
        local: join(local, 'f'),
        remote: '.',
        ...form,
      });
      await eventually('content arrives', () => inTransit(store, server));
      client.child.kill(signal);
      expect((await client.ended).code).not.toBe(0);
      way.cut();
      await eventually('nothing is left', () => !inTransit(store, server));
      expect(readFileSync(join(store, 'f'), 'utf8')).toBe('old');
      expect(readdirSync(store)).toEqual(['f']);
    },
  );

  it('leaves nothing when pfioh is killed during a push', async () => {
    const { store, local, content } = setUp();
    writeFileSync(join(local, 'f'), content);
    const staged = temporaryNames((name) => name.startsWith('.pfioh-'));
    const server = await opened.pfioh(['--storeBase', store]);
    const way = await narrow(server.address, 'up');
    const client = purl(way.address, 'pushPath', { local: join(local, 'f'), remote: '.', ...form });
    await eventually('content arrives', () => inTransit(store, server));
    server.child.kill('SIGKILL');
    expect((await client.ended).code).not.toBe(0);
    await eventually('nothing is left', () => readdirSync(store).length === 0);
    await staged.areGone();
  });

  it('leaves nothing when purl is killed during a pull', async () => {
    const { store, local, content } = setUp();
    writeFileSync(join(store, 'f'), content);
    const server = await opened.pfioh(['--storeBase', store]);
    const way = await narrow(server.address, 'down');
    const client = purl(way.address, 'pullPath', { local, remote: 'f', ...form });
    await eventually('content arrives', () => inTransit(local, client));
    client.child.kill('SIGKILL');
    await client.ended;
    await eventually('nothing is left', () => readdirSync(local).length === 0);
  });

  it.each([{ archive: 'none' }, { archive: 'zip' }])(
    'goes on with --resume where a push stopped (%j)',
    async ({ archive }) => {
      const { store, local, content } = setUp();
      writeFileSync(join(local, 'f'), content);
      const server = await opened.pfioh(['--storeBase', store]);
      const way = await narrow(server.address, 'up');
      const what = { local: join(local, 'f'), remote: '.', archive, encoding: 'none' };
      const first = purl(way.address, 'pushPath', what, ['--resume']);
      const arrived = () =>
        readdirSync(store)
          .filter((name) => name.endsWith('.part'))
          .map((name) => statSync(join(store, name)).size)[0] ?? 0;
      await eventually('much has arrived', () => arrived() > HELD_AFTER / 2);
      first.child.kill('SIGKILL');
      await first.ended;
      way.cut();
      const kept = arrived();
      way.open();
      const second = await purl(way.address, 'pushPath', what, ['--resume', '--json']).ended;
      expect(second.code).toBe(0);
      expect(readFileSync(join(store, 'f')).equals(content)).toBe(true);
      expect(readdirSync(store)).toEqual(['f']);
      const bytes = [...second.stderr.matchAll(/"bytes":(\d+)/g)].map(([, n]) => Number(n));
      expect(Math.min(...bytes)).toBeGreaterThanOrEqual(kept / 2);
    },
  );

  it.each([{ archive: 'none' }, { archive: 'zip' }])(
    'goes on with --resume where a pull stopped (%j)',
    async ({ archive }) => {
      const { store, local, content } = setUp();
      writeFileSync(join(store, 'f'), content);
      const server = await opened.pfioh(['--storeBase', store]);
      const way = await narrow(server.address, 'down');
      const what = { local, remote: 'f', archive, encoding: 'none' };
      const first = purl(way.address, 'pullPath', what, ['--resume']);
      const arrived = () =>
        readdirSync(local)
          .filter((name) => name.endsWith('.part'))
          .map((name) => statSync(join(local, name)).size)[0] ?? 0;
      await eventually('much has arrived', () => arrived() > HELD_AFTER / 2);
      first.child.kill('SIGKILL');
      await first.ended;
      way.cut();
      way.open();
      const second = await purl(way.address, 'pullPath', what, ['--resume']).ended;
      expect(second).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(join(local, 'f')).equals(content)).toBe(true);
      expect(readdirSync(local)).toEqual(['f']);
    },
  );

  it('starts anew when the source has changed meanwhile', async () => {
    const { store, local, content } = setUp();
    writeFileSync(join(store, 'f'), content);
    const server = await opened.pfioh(['--storeBase', store]);
    const way = await narrow(server.address, 'down');
    const first = purl(way.address, 'pullPath', { local, remote: 'f', ...form }, ['--resume']);
    await eventually('content arrives', () => inTransit(local, first));
    first.child.kill('SIGKILL');
    await first.ended;
    way.cut();
    writeFileSync(join(store, 'f'), 'changed');
    way.open();
    const second = await purl(way.address, 'pullPath', { local, remote: 'f', ...form }, [
      '--resume',
    ]).ended;
    expect(second.code).toBe(0);
    expect(readFileSync(join(local, 'f'), 'utf8')).toBe('changed');
  });
});
