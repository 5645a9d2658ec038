import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { act, replyOf } from '../helpers/pman.ts';
import { startServer } from '../helpers/startServer.ts';
import { Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();

async function setUp(serveforever: boolean, flags: readonly string[] = []) {
  const server = await startServer({ flags: ['--http', ...flags] });
  opened.onClose(async () => void (await server.stop()));
  const folder = opened.folder();
  writeFileSync(join(folder, 'f'), 'content');
  const open = async () => {
    const reply = await server.post('fileiosetup', { serveforever });
    const { fileioIP, fileioport } = reply.d_ret as Record<string, string>;
    const address = `${fileioIP}:${fileioport}`;
    return (remote: string) =>
      opened.purl([
        ...['--quiet', '--fail', '--retries', '0', '--http', address],
        ...['--msg', transferMessage('pushPath', { local: join(folder, 'f'), remote })],
      ]);
  };
  return { server, folder, open };
}

describe('fileiosetup of pman', () => {
  afterEach(() => opened.close());

  it('opens a file server for one transfer, which takes more than one request', async () => {
    const store = opened.folder();
    const { open } = await setUp(false, ['--fileioStore', store]);
    const push = await open();
    mkdirSync(join(store, 'there'));
    // What fails is no transfer: the endpoint stays for the one that works.
    expect((await push('there/../../x')).code).toBe(1);
    expect(await push('there')).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(store, 'there/f'), 'utf8')).toBe('content');
    expect((await push('there')).code).toBe(7);
  });

  it('writes into the audit log of pman what was moved', async () => {
    const store = opened.folder();
    const auditLog = join(opened.folder(), 'audit');
    const { open } = await setUp(true, ['--fileioStore', store, '--auditLog', auditLog]);
    const push = await open();
    expect((await push('.')).code).toBe(0);
    const written = () => (existsSync(auditLog) ? readFileSync(auditLog, 'utf8') : '');
    await eventually(() => written().includes('push'));
    const lines = written().trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        ...{ program: 'pfioh', action: 'push', from: '127.0.0.1', status: 200 },
        ...{ path: '.', bytes: expect.any(Number) },
      }),
    );
  });

  it('opens a hundred at once, and one more when one has done its work', async () => {
    const store = opened.folder();
    const { open, server } = await setUp(false, ['--fileioStore', store]);
    const push = await open();
    for (let i = 1; i < 100; i += 1) await open();
    const answer = await act(server, 'fileiosetup', { serveforever: false });
    expect([answer.status, replyOf(answer).error?.message]).toEqual([
      503,
      expect.stringContaining('100 are open'),
    ]);
    expect((await push('.')).code).toBe(0);
    await eventually(async () => (await open()) !== undefined);
  });

  it('opens one for as long as pman runs', async () => {
    const store = opened.folder();
    const { open, server } = await setUp(true, ['--fileioStore', store]);
    const push = await open();
    for (const place of ['one', 'two', 'three']) {
      expect((await push(place)).code).toBe(0);
      expect(existsSync(join(store, place, 'f'))).toBe(true);
    }
    await server.stop();
    await eventually(async () => (await push('one')).code === 7);
  });

  it('keeps it to a folder of its own beside the database', async () => {
    const { open, folder, server } = await setUp(true);
    const push = await open();
    expect((await push(folder)).stderr).toContain('leads outside of the store');
    expect((await push('place')).code).toBe(0);
    const store = `${server.folders.DBpath}.spool/fileio`;
    expect(readFileSync(join(store, 'place/f'), 'utf8')).toBe('content');
  });

  it('opens one that all share, and tells where its files lie', async () => {
    const store = opened.folder();
    const { server, folder } = await setUp(false, ['--fileioStore', store]);
    const ask = async () => (await server.request('POST', '/api/v2/store')).json();
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(one).toEqual({ scheme: 'http', port: expect.any(Number), folder: store });
    expect(two).toEqual(one);
    const { port } = one as { port: number };
    const push = () => opened.purl(['push', join(folder, 'f'), `127.0.0.1:${port}:jobs`]);
    expect((await push()).code).toBe(0);
    expect((await push()).code).toBe(0);
    expect(readFileSync(join(store, 'jobs/f'), 'utf8')).toBe('content');
    // Its process has ended: there is another one.
    const endpoint = server.children().find(({ command }) => command.includes('endpointProcess'));
    process.kill(endpoint?.pid ?? 0, 'SIGKILL');
    const other = await eventually(async () => {
      const now = (await ask()) as { port: number };
      return now.port === port ? undefined : now;
    });
    expect(
      (await opened.purl(['push', join(folder, 'f'), `127.0.0.1:${other.port}:jobs`])).code,
    ).toBe(0);
  });

  it('opens another one to share when somebody has told it to quit', async () => {
    const { server, folder } = await setUp(false, ['--fileioStore', opened.folder()]);
    const ask = async () => {
      const answer = await server.request('POST', '/api/v2/store');
      return (answer.json() as { port: number }).port;
    };
    const port = await ask();
    const quit = JSON.stringify({ meta: { ctl: { serverCmd: 'quit' } } });
    const told = await opened.purl(['--http', `127.0.0.1:${port}`, '--msg', quit]);
    expect(told.code).toBe(0);
    const other = await eventually(async () => {
      const now = await ask();
      return now === port ? undefined : now;
    });
    const pushed = await opened.purl(['push', join(folder, 'f'), `127.0.0.1:${other}:jobs`]);
    expect(pushed.code).toBe(0);
  });

  it('has it in a process of its own, and opens another one when that has ended', async () => {
    const { open, server } = await setUp(true);
    const push = await open();
    const endpoint = server.children().find(({ command }) => command.includes('endpointProcess'));
    process.kill(endpoint?.pid ?? 0, 'SIGKILL');
    await eventually(async () => (await push('one')).code === 7);
    expect(server.isRunning).toBe(true);
    expect((await (await open())('two')).code).toBe(0);
  });
});
