import {
  cpSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { canMount, mountSmallDisk } from '../crash/mounts.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { signal } from '../helpers/processes.ts';
import { checkout, makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

jest.setTimeout(180_000);

const probe = mkdtempSync(join(tmpdir(), 'pman-mount-'));
const mounts = canMount(join(probe, 'disk'));
afterAll(() => rmSync(probe, { recursive: true, force: true }));

/** What a load balancer is told: the status and the reason. */
async function readiness(server: TestServer): Promise<string> {
  const { status, text } = await server.request('GET', '/readyz');
  return `${status} ${text.trim()}`;
}

const untilReadiness = (server: TestServer, ...wanted: readonly string[]) =>
  eventually(async () => wanted.includes(await readiness(server)), {
    message: `/readyz to be: ${wanted.join(' or ')}`,
    timeoutMs: 60_000,
  });

async function figure(server: TestServer, name: string): Promise<number> {
  const { status, text } = await server.request('GET', '/metrics');
  expect(status).toBe(200);
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

const cannotMount = () => (mounts ? undefined : 'mounting a small disk needs the right to mount');

describeWithEngine('a disk that is full', cannotMount, () => {
  it('is told by /readyz and /metrics, which are answered, until there is room', async () => {
    const root = tempDir();
    const disk = join(root, 'disk');
    mountSmallDisk(disk, 8);
    const folders = { ...makeFolders(root), DBpath: join(disk, 'db') };
    const server = await startServer({ folders });
    const client = new ApiClient(server);
    const { id } = await client.submit({ command: 'true' });
    expect((await client.job(id, '?wait=30s')).state).toBe('succeeded');
    expect(await readiness(server)).toBe('200 ok');
    expect(await figure(server, 'pman_disk_size_bytes')).toBe(8 * 1024 * 1024);
    const filler = join(disk, 'filler');
    const { bfree, bsize } = statfsSync(disk);
    try {
      writeFileSync(filler, Buffer.alloc(bfree * bsize));
    } catch (error) {
      // pman has written meanwhile: it is full all the same.
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
    // Which comes first depends on whether a record was still to be written.
    await untilReadiness(server, '503 the disk is full', '503 the disk takes no records');
    await eventually(async () => (await figure(server, 'pman_disk_free_bytes')) === 0);
    expect((await server.request('GET', '/livez')).status).toBe(200);
    const refused = await client.send('POST', '/api/v2/jobs', { command: 'true' });
    expect(refused.status).toBe(507);
    // Without a request to it: who hears 503 sends none.
    rmSync(filler);
    await untilReadiness(server, '200 ok');
    const later = await client.submit({ command: 'true' });
    expect((await client.job(later.id, '?wait=30s')).state).toBe('succeeded');
    expect(await figure(server, 'pman_http_requests_total{method="POST",code="507"}')).toBe(1);
    await endServer(server);
  });
});

describe('a runner', () => {
  /** A pman of its own, whose runner's program can be taken away; `away` and `back` do that. */
  async function pmanOfItsOwn() {
    const root = tempDir();
    cpSync(join(checkout, 'dist'), join(root, 'dist'), {
      recursive: true,
      filter: (path) => !path.endsWith('.map'),
    });
    for (const name of ['node_modules', 'package.json']) {
      symlinkSync(join(checkout, name), join(root, name));
    }
    const folders = makeFolders(root);
    const server = await startServer({
      folders,
      command: [process.execPath, join(root, 'dist/bin/pman.js')],
    });
    const program = join(root, 'dist/bin/runnerProcess.cjs');
    return {
      server,
      client: new ApiClient(server),
      away: () => renameSync(program, `${program}.away`),
      back: () => renameSync(`${program}.away`, program),
    };
  }

  const runnersOf = (server: TestServer) =>
    server.children().filter(({ command }) => command.includes('runnerProcess'));

  it('that is killed is told of until another one looks after its jobs, and counted', async () => {
    const { server, client, away, back } = await pmanOfItsOwn();
    const { id } = await client.submit({ command: 'sleep 600' });
    await eventually(async () => (await client.job(id)).state === 'running');
    expect(await readiness(server)).toBe('200 ok');
    expect(await figure(server, 'pman_runner_restarts_total')).toBe(0);
    away();
    for (const { pid } of runnersOf(server)) signal(pid, 'SIGKILL');
    await untilReadiness(server, '503 the runner is gone');
    expect(await figure(server, 'pman_runner_restarts_total')).toBe(1);
    expect((await server.request('GET', '/livez')).status).toBe(200);
    back();
    await untilReadiness(server, '200 ok');
    expect((await client.job(id)).state).toBe('running');
    const later = await client.submit({ command: 'true' });
    expect((await client.job(later.id, '?wait=30s')).state).toBe('succeeded');
    await client.send('POST', `/api/v2/jobs/${id}/kill`, { grace: 0 });
    await client.job(id, '?wait=30s');
    await endServer(server);
  });

  it('that cannot be started is told of until it can be, though nobody sends a job', async () => {
    const { server, client, away, back } = await pmanOfItsOwn();
    away();
    const { id } = await client.submit({ command: 'true' });
    await untilReadiness(server, '503 the runner cannot be started');
    expect((await client.job(id, '?wait=30s')).reason?.code).toBe('not_started');
    back();
    await untilReadiness(server, '200 ok');
    const later = await client.submit({ command: 'true' });
    expect((await client.job(later.id, '?wait=30s')).state).toBe('succeeded');
    await endServer(server);
  });
});
