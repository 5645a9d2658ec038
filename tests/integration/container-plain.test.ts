import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import {
  busybox,
  ended,
  expectLimits,
  type Job,
  LIMITS,
  metaOf,
  newId,
  run,
  start as startWith,
  statusOf,
  stopAll,
} from '../helpers/containerJobs.ts';
import { dockerAt, engine, engineMissing, podman, podmanMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const SECONDS = { pollMs: 100 };

/** Engines without a swarm: one suite, the same code. */
describeWithEngine('container jobs on Docker without a swarm', engineMissing, () => {
  suite(engine, { isPodman: false });
});
describeWithEngine('container jobs on Podman', podmanMissing, () => {
  suite(podman, { isPodman: true });
});

function suite(address: string | undefined, { isPodman }: { readonly isPodman: boolean }): void {
  jest.setTimeout(120_000);
  afterEach(stopAll);
  const start = () => startWith('docker', {}, address);
  const names = () => dockerAt(address)('ps', '-a', '--format', '{{.Names}}').split('\n');
  const gone = (name: string) => eventually(() => !names().includes(name), SECONDS);
  const isStarted = (server: TestServer, jid: string) =>
    eventually(async () => (await statusOf(server, jid)).status === 'started', SECONDS);
  const resultOf = async (server: TestServer, job: Job) => ended(server, await run(server, job));

  it('run, fail, and leave nothing behind', async () => {
    const server = await start();
    const share = tempDir();
    const manager = { image: 'fnndsc/swarm', app: 'swarm.py', env: { shareDir: share } };
    const good = await run(server, { cmd: 'sh -c "echo hi >/share/out; echo ok"', manager });
    const bad = await run(server, { cmd: 'sh -c "echo before; exit 3"' });
    expect(await ended(server, good)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'ok\n',
      node: { state: { Status: { State: 'complete', ContainerStatus: { ExitCode: 0 } } } },
    });
    expect(readFileSync(join(share, 'out'), 'utf8')).toBe('hi\n');
    expect(await ended(server, bad)).toMatchObject({
      status: 'finishedWithError',
      logs: 'before\n',
      node: { cause: expect.stringContaining('non-zero exit (3)') },
    });
    await gone(good);
    await gone(bad);
  });

  it('obey their limits, their environment and their user, and write only where they may', async () => {
    const server = await start();
    const limited = await resultOf(server, {
      cmd: `sh -c "${LIMITS}"`,
      meta: { cpu_limit: '0.25', memory_limit: 32, number_of_workers: 1 },
    });
    expectLimits(limited.logs, 32 * 2 ** 20, 0.25);
    const [input, output] = [tempDir(), tempDir()];
    chmodSync(input, 0o777);
    chmodSync(output, 0o777);
    writeFileSync(join(input, 'in'), 'input');
    const seen = await resultOf(server, {
      cmd: 'sh -c "echo $WHO; id -u; cp /in/in /out/out; touch /in/x 2>&1"',
      target: {
        env: { WHO: 'me too' },
        user: '65534',
        mounts: [
          { source: input, target: '/in' },
          { source: output, target: '/out', readOnly: false },
        ],
      },
    });
    expect(seen.status).toBe('finishedWithError');
    expect(seen.logs).toMatch(/^me too\n65534\ntouch: \/in\/x: .*\n$/);
    expect(readFileSync(join(output, 'out'), 'utf8')).toBe('input');
    expect(existsSync(join(input, 'x'))).toBe(false);
  });

  it('tell why they cannot start', async () => {
    const server = await start();
    const because = async (job: Job) => (await resultOf(server, job)).node.cause;
    expect(await because({ cmd: 'true', image: 'local/nosuch' })).toMatch(/no such image/i);
    expect(await because({ cmd: 'nosuchprogram' })).toMatch(/nosuchprogram/);
    expect(await because({ cmd: 'true', target: { user: 'nosuchuser' } })).toMatch(/nosuchuser/);
    const gpu = await because({ cmd: 'true', meta: { gpu_limit: 1 } });
    expect(gpu).toMatch(isPodman ? /gives no GPUs/ : /device driver.*gpu/);
  });

  it('tell that they ran out of memory', async () => {
    const server = await start();
    const { status, node } = await resultOf(server, {
      cmd: 'sh -c "sleep 0.5; tail /dev/zero"',
      meta: { memory_limit: '16Mi' },
    });
    expect(status).toBe('finishedWithError');
    expect(node.cause).toMatch(/out of memory/);
  });

  it('show what they have written while they run; kill ends them and delete removes them', async () => {
    const server = await start();
    const jid = await run(server, {
      cmd: 'sh -c "trap \'echo bye; exit 9\' TERM; echo up; while true; do sleep 0.1; done"',
    });
    await eventually(async () => {
      const { status, logs } = await statusOf(server, jid);
      return status === 'started' && logs === 'up\n';
    }, SECONDS);
    const named = { key: 'jid', value: jid };
    expect(await server.post('kill', named)).toMatchObject({ d_ret: { 0: { killed: true } } });
    const { status, logs, node } = await ended(server, jid);
    expect({ status, logs }).toEqual({ status: 'finishedWithError', logs: 'up\nbye\n' });
    expect(node.cause).toBe('ended by a kill request');
    await gone(jid);
    expect(await server.post('delete', named)).toMatchObject({ status: true });
    expect(await server.post('status', named)).toMatchObject({ status: false });
  });

  it('run as many workers as asked for; kill ends those that still run', async () => {
    const server = await start();
    const share = tempDir();
    // The first that makes the folder ends at once, the others would go on.
    const jid = await run(server, {
      cmd: 'sh -c "echo a; echo b; if mkdir /share/first 2>/dev/null; then exit 0; fi; sleep 600"',
      manager: { env: { shareDir: share } },
      meta: { number_of_workers: 3 },
    });
    await eventually(async () => {
      const { status, logs } = await statusOf(server, jid);
      return status === 'started' && logs === 'a\nb\n'.repeat(3);
    }, SECONDS);
    await server.post('kill', { key: 'jid', value: jid, signal: 'KILL' });
    const { status, logs, node } = await ended(server, jid);
    expect({ status, logs }).toEqual({
      status: 'finishedWithError',
      logs: 'a\nb\n'.repeat(3),
    });
    expect(node.tasks).toHaveLength(3);
    expect(node.cause).toBe('ended by a kill request');
  });

  it('have a name each, among all containers of the engine', async () => {
    const server = await start();
    const foreign = newId();
    dockerAt(address)('run', '-d', '--name', foreign, busybox, 'sleep', '600');
    try {
      const body = { payload: { action: 'run', meta: metaOf({ jid: foreign, cmd: 'true' }) } };
      expect((await server.request('POST', '/', { body })).status).toBe(409);
    } finally {
      dockerAt(address)('rm', '-f', foreign);
    }
    const jid = await run(server, { jid: foreign, cmd: 'sleep 600' });
    const body = { payload: { action: 'run', meta: metaOf({ jid, cmd: 'true' }) } };
    expect((await server.request('POST', '/', { body })).status).toBe(409);
    await server.post('kill', { key: 'jid', value: jid, signal: 'KILL' });
    await ended(server, jid);
    await eventually(async () => (await server.post('run', metaOf({ jid, cmd: 'true' }))).status, {
      ...SECONDS,
      message: 'the name to be free again',
    });
    await gone(jid);
  });

  it('survive a server that is killed', async () => {
    const server = await start();
    const share = tempDir();
    const running = await run(server, {
      cmd: 'sh -c "while [ ! -e /share/go ]; do sleep 0.1; done; echo done; exit 4"',
      manager: { env: { shareDir: share } },
    });
    await isStarted(server, running);
    const waiting = await run(server, {
      cmd: 'echo late',
      manager: { env: { shareDir: join(share, 'later') } },
    });
    await server.kill9();
    mkdirSync(join(share, 'later'));
    writeFileSync(join(share, 'go'), '');
    await server.restart();
    expect(await ended(server, running)).toMatchObject({
      status: 'finishedWithError',
      logs: 'done\n',
    });
    expect(await ended(server, waiting)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'late\n',
    });
    for (const jid of [running, waiting]) await gone(jid);
  });

  it('read an input that came along, and leave files in the folder that they share', async () => {
    const server = await start();
    const api = new ApiClient(server);
    const share = tempDir();
    chmodSync(share, 0o777);
    const input = randomBytes(300_000);
    const job = {
      ...{ image: busybox, shareDir: share, files: ['out/*.bin'], shell: true },
      command: 'mkdir /share/out && cat >/share/out/a.bin && echo x >/share/secret',
    };
    const form = new FormData();
    form.set('job', JSON.stringify(job));
    form.set('stdin', new Blob([input]), 'in.bin');
    const answer = await fetch(api.url('/api/v2/jobs'), { method: 'POST', body: form });
    const { id } = (await answer.json()) as { id: string };
    expect(await api.job(id, '?wait=60s')).toMatchObject({
      state: 'succeeded',
      backend: 'container',
    });
    const { body } = await api.send('GET', `/api/v2/jobs/${id}/files`);
    expect(body).toMatchObject({
      ...{ files: [{ path: 'out/a.bin', bytes: input.length }], isComplete: true },
    });
    const file = await fetch(api.url(`/api/v2/jobs/${id}/files/out/a.bin`));
    expect(Buffer.from(await file.arrayBuffer()).equals(input)).toBe(true);
    expect((await api.send('GET', `/api/v2/jobs/${id}/files/secret`)).status).toBe(404);
  });

  it('run again with an input that is sent along once more: theirs is not kept', async () => {
    const api = new ApiClient(await start());
    const send = async (path: string, member: object, stdin: string) => {
      const form = new FormData();
      for (const [name, value] of Object.entries(member)) form.set(name, JSON.stringify(value));
      form.set('stdin', new Blob([stdin]), 'in.txt');
      const answer = await fetch(api.url(path), { method: 'POST', body: form });
      return (await answer.json()) as { id: string };
    };
    const { id } = await send('/api/v2/jobs', { job: { image: busybox, command: 'cat' } }, 'one');
    await api.job(id, '?wait=60s');
    const again = `/api/v2/jobs/${id}/rerun`;
    expect(await api.send('POST', again)).toMatchObject({
      status: 409,
      body: { code: 'conflict', hint: expect.stringContaining('"stdin"') },
    });
    const other = await send(again, { job: {} }, 'two');
    const { state, links } = await api.job(other.id, '?wait=60s');
    expect([state, (await api.send('GET', links.stdout)).body]).toEqual(['succeeded', 'two']);
  });

  it('give out only files of the user that jobs of the host run as, where there is one', async () => {
    const server = await startWith('docker', { flags: ['--jobUser', 'nobody'] }, address);
    const api = new ApiClient(server);
    const shareDir = tempDir();
    chmodSync(shareDir, 0o777);
    const filesOf = async (name: string, more: object) => {
      const job = { image: busybox, shareDir, files: ['*'], shell: true, ...more };
      const { id } = await api.submit({ ...job, command: `echo x >/share/${name}` });
      await api.job(id, '?wait=60s');
      const { body } = await api.send('GET', `/api/v2/jobs/${id}/files`);
      return (body as { files: { path: string }[] }).files.map(({ path }) => path);
    };
    expect(await filesOf('of-root', {})).toEqual([]);
    expect(existsSync(join(shareDir, 'of-root'))).toBe(true);
    expect(await filesOf('of-nobody', { user: '65534:65534' })).toEqual(['of-nobody']);
  });

  it('are refused with files when they share no folder, or one that pman cannot see', async () => {
    const server = await start();
    const job = { image: busybox, command: 'true', files: ['*'] };
    const alone = await new ApiClient(server).send('POST', '/api/v2/jobs', job);
    expect([alone.status, JSON.stringify(alone.body)]).toEqual([
      400,
      expect.stringContaining('without a shared folder has none'),
    ]);
    const env = { STOREBASE: '/srv/store' };
    const mapped = await startWith('docker', { env }, address);
    const api = new ApiClient(mapped);
    const other = await api.send('POST', '/api/v2/jobs', { ...job, shareDir: '/etc' });
    expect(other.status).toBe(400);
    const { body } = await api.send('GET', '/api/v2/capabilities');
    const { backends } = body as { backends: { name: string; takes: string[] }[] };
    const takes = backends.find(({ name }) => name === 'docker')?.takes;
    expect(takes).toEqual(expect.arrayContaining(['stdin', 'maxOutput']));
    expect(takes).not.toContain('files');
  });

  it('end with the right state when 20 come at once', async () => {
    const server = await start();
    const jids = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        run(server, { cmd: `sh -c "echo ${i}; exit ${i % 2}"` }),
      ),
    );
    for (const [i, jid] of jids.entries()) {
      const { status, logs } = await ended(server, jid);
      const word = i % 2 === 0 ? 'finishedSuccessfully' : 'finishedWithError';
      expect({ i, status, logs }).toEqual({ i, status: word, logs: `${i}\n` });
    }
  });
}
