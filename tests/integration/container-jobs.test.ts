import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OWN_MANAGER_LABEL } from '../../lib/jobs/containerManager.ts';
import {
  busybox,
  ended,
  expectLimits,
  LIMITS,
  metaOf,
  newId,
  run,
  start,
  statusOf,
  stopAll,
} from '../helpers/containerJobs.ts';
import { docker, engineMissing, managerImage, scriptImage } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';

const app = 'fnndsc/pl-simpledsapp';
const foreignManager = 'fnndsc/swarm';
const ownManager = 'local/pman-swarm';

/** Copies what comes in, with a prefix to each name, as the example's program does. */
const simpledsapp = `
prefix=$2; in=$3; out=$4
for file in "$in"/*; do echo "copying $file"; cp "$file" "$out/$prefix$(basename "$file")"; done
`;

const services = () => docker('service', 'ls', '--format', '{{.Name}}').split('\n').filter(Boolean);
const gone = (name: string) =>
  eventually(() => !services().includes(name), {
    timeoutMs: 20_000,
    pollMs: 100,
    message: `service ${name} to be removed`,
  });

describe('container jobs without an engine', () => {
  afterEach(stopAll);

  it('are refused with 503 and a clear sentence, and leave no record', async () => {
    const server = await start('swarm', { env: { DOCKER_HOST: 'unix:///nonexistent/d.sock' } });
    const body = { payload: { action: 'run', meta: metaOf({ jid: 'a', cmd: 'true' }) } };
    const answer = await server.request('POST', '/api/v1/cmd', { body });
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({
      status: false,
      error: {
        code: 'unavailable',
        message: expect.stringContaining('no answer from unix:///nonexistent/d.sock'),
      },
    });
    expect((await server.post('get', { path: '/' })).d_ret).toEqual({});
  });

  it('do not keep host jobs from their status', async () => {
    const server = await start('swarm', { env: { DOCKER_HOST: 'unix:///nonexistent/d.sock' } });
    await server.post('run', { cmd: 'exit 3', auid: 'u', jid: 'h' });
    const reply = await server.post('status', { key: 'jid', value: 'h' });
    expect(reply.d_ret).toMatchObject({ l_status: ['finishedWithError'], l_logs: [] });
  });

  it.each([
    ['an image', { container: { target: {} } }, /meta\.container\.target\.image/],
    ['a sound limit', { cpu_limit: 'many' }, /meta\.cpu_limit/],
    ['enough memory', { memory_limit: '1Mi' }, /less than 6Mi/],
    ['a name for the service', { jid: 'a/b' }, /cannot name a service/],
  ])('are refused with 400 when they lack %s', async (_, meta, naming) => {
    const server = await start('swarm');
    const sent = { ...metaOf({ jid: 'a', cmd: 'true' }), ...meta };
    const answer = await server.request('POST', '/', {
      body: { payload: { action: 'run', meta: sent } },
    });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { message: expect.stringMatching(naming) } });
  });
});

describeWithEngine('container jobs', engineMissing, () => {
  jest.setTimeout(180_000);
  afterEach(stopAll);

  beforeAll(() => {
    scriptImage(app, { 'simpledsapp.py': simpledsapp });
    managerImage(foreignManager);
    managerImage(ownManager, OWN_MANAGER_LABEL);
  }, 120_000);

  describe.each([
    ['a manager container', { image: foreignManager, app: 'swarm.py' }, []],
    ['a manager container of ours', { image: ownManager, app: 'swarm.py' }, []],
    ['the built-in manager (no such image)', { image: 'local/nosuch', app: 'swarm.py' }, []],
    ['the built-in manager (no image named)', {}, []],
    [
      'the built-in manager (by flag)',
      { image: foreignManager, app: 'swarm.py' },
      ['--manager', 'builtin'],
    ],
  ])('by %s', (_, manager, flags) => {
    it('give the result that the README promises', async () => {
      const server = await start('swarm', { flags });
      const share = join(tempDir(), 'key-1');
      for (const folder of ['incoming', 'outgoing']) {
        mkdirSync(join(share, folder), { recursive: true });
      }
      writeFileSync(join(share, 'incoming/a b.txt'), 'content');
      const serviceName = newId();
      const cmd = 'simpledsapp.py --prefix test- /share/incoming /share/outgoing';
      const env = { shareDir: `${share}/`, serviceType: 'docker', serviceName };
      const jid = await run(server, { cmd, image: app, manager: { ...manager, env } });
      const { status, logs, node } = await ended(server, jid);
      expect(status).toBe('finishedSuccessfully');
      expect(logs).toBe('copying /share/incoming/a b.txt\r\n');
      expect(readFileSync(join(share, 'outgoing/test-a b.txt'), 'utf8')).toBe('content');
      expect(node).toMatchObject({
        currentState: 'finishedSuccessfully',
        logs,
        state: { Status: { State: 'complete', ContainerStatus: { ExitCode: 0 } } },
        target: { image: app },
        manager: { ...manager, env },
      });
      const record = Object.values(
        (await server.post('get', { path: '/_0' })).d_ret as object,
      )[0] as Record<string, unknown>;
      expect(record).toMatchObject({
        cmd: `echo "${cmd}"`,
        endInfo: { allJobsDone: true },
        end: { 0: { endInfo: { 0: { returncode: 0, stdout: `${cmd}\n`, stderr: '' } } } },
        cmdMgr: expect.stringContaining(`-s ${serviceName} -m ${share} -i ${app} -p none -c`),
      });
      await gone(serviceName);
    });

    it('show a command that fails, with what it has written', async () => {
      const server = await start('swarm', { flags });
      const jid = await run(server, { cmd: 'sh -c "echo before; exit 3"', manager });
      const { status, logs, node } = await ended(server, jid);
      expect({ status, logs }).toEqual({ status: 'finishedWithError', logs: 'before\r\n' });
      expect(node).toMatchObject({ cause: expect.stringContaining('non-zero exit (3)') });
      await gone(jid);
    });
  });

  it('obey their limits, their environment and their user', async () => {
    const server = await start('swarm');
    const input = tempDir();
    const output = tempDir();
    for (const folder of [input, output]) chmodSync(folder, 0o777);
    writeFileSync(join(input, 'in'), 'input');
    for (const manager of [{}, { image: ownManager, app: 'swarm.py' }]) {
      const jid = await run(server, {
        cmd: `sh -c "${LIMITS}"`,
        manager,
        meta: { cpu_limit: '500m', memory_limit: '64Mi' },
      });
      const { status, logs } = await ended(server, jid);
      expect(status).toBe('finishedSuccessfully');
      expectLimits(logs, 64 * 2 ** 20, 0.5);
      const mounts = [
        { source: input, target: '/in' },
        { source: output, target: '/out', readOnly: false },
      ];
      const other = await run(server, {
        cmd: 'sh -c "echo $WHO; id -u; cp /in/in /out/out; cat /out/out; touch /in/x"',
        manager,
        target: { env: { WHO: 'me too' }, user: '65534', mounts },
      });
      const seen = await ended(server, other);
      expect(seen.status).toBe('finishedWithError');
      expect(seen.logs).toMatch(/^me too\r\n65534\r\ninputtouch: \/in\/x: .*\r\n$/);
      expect(existsSync(join(input, 'x'))).toBe(false);
      expect(readFileSync(join(output, 'out'), 'utf8')).toBe('input');
      rmSync(join(output, 'out'));
    }
  });

  it('carry their labels, and those that tell whose they are', async () => {
    const server = await start('swarm');
    for (const manager of [{}, { image: ownManager, app: 'swarm.py' }]) {
      const jid = await run(server, {
        cmd: 'sleep 600',
        manager,
        target: { labels: { colour: 'dark blue' } },
      });
      await eventually(async () => (await statusOf(server, jid)).status === 'started', {
        timeoutMs: 30_000,
      });
      const labels = JSON.parse(docker('service', 'inspect', '-f', '{{json .Spec.Labels}}', jid));
      expect(labels).toEqual({
        colour: 'dark blue',
        'org.fnndsc.pman.job': expect.stringMatching(/^\d{14}\./),
        'org.fnndsc.pman.jid': jid,
        'org.fnndsc.pman.auid': 'user',
        'org.fnndsc.pman.instance': expect.stringMatching(/^[\da-f-]{36}$/),
      });
      await server.post('kill', { key: 'jid', value: jid, signal: 'KILL' });
      await ended(server, jid);
    }
  });

  it('run as many workers as asked for, and keep what each has written', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'sh -c "echo from $HOSTNAME"',
      meta: { number_of_workers: '3' },
    });
    const { status, logs, node } = await ended(server, jid);
    expect(status).toBe('finishedSuccessfully');
    expect(new Set(logs.trim().split('\r\n')).size).toBe(3);
    expect(node.tasks).toHaveLength(3);
  });

  it('tell why they cannot start', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'true', image: 'local/nosuch' });
    const { status, node } = await ended(server, jid);
    expect(status).toBe('undefined');
    expect(node).toMatchObject({
      cause: expect.stringContaining('No such image: local/nosuch'),
      state: { Status: { State: 'rejected' } },
    });
  });

  it('tell that they ran out of memory', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'sh -c "tail /dev/zero"',
      meta: { memory_limit: '16Mi' },
    });
    const { status, node } = await ended(server, jid);
    expect(status).toBe('finishedWithError');
    expect(node.cause).toMatch(/out of memory/);
  });

  it('get the devices that they ask for, one job after the other', async () => {
    const server = await start('swarm');
    const folder = tempDir();
    const job = {
      // A shell passes on no variable with a "-" in its name, but gets it.
      cmd: 'sh -c "grep -ao DOCKER_RESOURCE_[A-Z]*-GPU=gpu-0 /proc/1/environ; while [ ! -e /share/go ]; do sleep 0.1; done"',
      manager: { env: { shareDir: folder } },
      meta: { gpu_limit: 1 },
    };
    const jids = [await run(server, job), await run(server, job)];
    const words = async () =>
      (await Promise.all(jids.map((jid) => statusOf(server, jid)))).map(({ status }) => status);
    await eventually(async () => (await words()).includes('started'), { timeoutMs: 30_000 });
    expect([...(await words())].sort()).toEqual(['notstarted', 'started']);
    writeFileSync(join(folder, 'go'), '');
    for (const jid of jids) {
      expect(await ended(server, jid)).toMatchObject({
        status: 'finishedSuccessfully',
        logs: 'DOCKER_RESOURCE_NVIDIA-GPU=gpu-0\r\n',
      });
    }
  });

  it('tell what they wait for', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'true', meta: { gpu_limit: 2 } });
    await eventually(
      async () => /insufficient|no suitable/.test(String((await statusOf(server, jid)).node.cause)),
      {
        timeoutMs: 20_000,
      },
    );
    expect((await statusOf(server, jid)).status).toBe('notstarted');
    expect(await server.post('kill', { key: 'jid', value: jid })).toMatchObject({ status: true });
    const { status, node } = await ended(server, jid);
    expect(status).toBe('finishedWithError');
    expect(node.cause).toMatch(/ended by a kill request/);
    await gone(jid);
  });

  it('keep the beginning and the end of much output', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'seq 1 400000' });
    const { status, logs } = await ended(server, jid);
    expect(status).toBe('finishedSuccessfully');
    expect(logs.length).toBeLessThan(1.1 * 2 ** 20);
    expect(logs).toMatch(/^1\r\n2\r\n[\s\S]*left out[\s\S]*\r\n399999\r\n400000\r\n$/);
  });

  it('show what they have written while they run; kill ends them and delete removes them', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'sh -c "trap \'echo bye; exit 9\' TERM; echo up; while true; do sleep 0.1; done"',
    });
    await eventually(
      async () => {
        const { status, logs } = await statusOf(server, jid);
        return status === 'started' && logs === 'up\r\n';
      },
      { timeoutMs: 30_000 },
    );
    const named = { key: 'jid', value: jid };
    expect(await server.post('delete', named)).toMatchObject({ error: { code: 'conflict' } });
    const reply = await server.post('kill', { ...named, auid: 'me' });
    expect(reply).toMatchObject({ status: true, d_ret: { 0: { killed: true } } });
    const { status, logs, node } = await ended(server, jid);
    expect({ status, logs }).toEqual({ status: 'finishedWithError', logs: 'up\r\nbye\r\n' });
    expect(node.cause).toBe('ended by a kill request of me');
    await gone(jid);
    expect(await server.post('kill', named)).toMatchObject({ d_ret: { 0: { killed: false } } });
    expect(await server.post('delete', named)).toMatchObject({ status: true });
    expect(await server.post('status', named)).toMatchObject({ status: false });
  });

  it('are ended at last when they do not heed the signal', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'sh -c "trap : TERM; echo up; while true; do sleep 0.1; done"',
    });
    await eventually(async () => (await statusOf(server, jid)).logs.includes('up'), {
      timeoutMs: 30_000,
    });
    await server.post('kill', { key: 'jid', value: jid, grace: 0.2 });
    const { node } = await ended(server, jid);
    expect(node.state).toMatchObject({ Status: { ContainerStatus: { ExitCode: 137 } } });
  });

  it('have a name each: a live one is refused again, an ended one makes room', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'sleep 600' });
    const again = { payload: { action: 'run', meta: metaOf({ jid, cmd: 'true' }) } };
    const refused = await server.request('POST', '/', { body: again });
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({ error: { message: expect.stringContaining(jid) } });
    const other = await start('swarm');
    expect((await other.request('POST', '/', { body: again })).status).toBe(409);
    await server.post('kill', { key: 'jid', value: jid, signal: 'KILL' });
    await eventually(async () => (await server.post('run', metaOf({ jid, cmd: 'true' }))).status, {
      timeoutMs: 20_000,
      pollMs: 100,
    });
    await eventually(
      async () => {
        const reply = await server.post('status', { key: 'jid', value: jid });
        const words = (reply.d_ret as { readonly l_status: string[] }).l_status;
        return words.join() === 'finishedWithError,finishedSuccessfully';
      },
      { timeoutMs: 30_000 },
    );
    await gone(jid);
  });

  it('leave a service of somebody else alone', async () => {
    const server = await start('swarm');
    const jid = newId();
    docker('service', 'create', '--detach', '--name', jid, busybox, 'sleep', '600');
    try {
      const body = { payload: { action: 'run', meta: metaOf({ jid, cmd: 'true' }) } };
      expect((await server.request('POST', '/', { body })).status).toBe(409);
      expect(services()).toContain(jid);
    } finally {
      docker('service', 'rm', jid);
    }
  });

  it('and host jobs of one search have a state each', async () => {
    const server = await start('swarm');
    const auid = newId();
    const meta = { auid, jid: newId() };
    const jid = await run(server, { cmd: 'echo in a container', meta, jid: meta.jid });
    await server.post('run', { cmd: 'echo here', auid, jid: 'host', threaded: false });
    await ended(server, jid);
    const reply = await server.post('status', { key: 'auid', value: auid });
    expect(reply.d_ret).toMatchObject({
      l_status: ['finishedSuccessfully', 'finishedSuccessfully'],
      l_logs: ['in a container\r\n', ''],
      '1.container': { tree: null },
    });
  });

  it('wait for the folder that they share, and end before the answer when not threaded', async () => {
    const server = await start('swarm');
    const share = join(tempDir(), 'late');
    const jid = newId();
    const answer = server.post(
      'run',
      {
        ...metaOf({ jid, cmd: 'touch /share/out', manager: { env: { shareDir: share } } }),
        threaded: false,
      },
      { timeoutMs: 60_000 },
    );
    await eventually(async () => (await statusOf(server, jid)).status === 'notstarted');
    expect(services()).not.toContain(jid);
    mkdirSync(share);
    expect(await answer).toMatchObject({ status: true });
    expect(existsSync(join(share, 'out'))).toBe(true);
    expect((await statusOf(server, jid)).status).toBe('finishedSuccessfully');
  });

  it('survive a server that is killed, in every stage', async () => {
    const server = await start('swarm');
    const folder = tempDir();
    const running = await run(server, {
      cmd: 'sh -c "while [ ! -e /share/go ]; do sleep 0.1; done; echo done; exit 4"',
      manager: { env: { shareDir: folder } },
    });
    await eventually(async () => (await statusOf(server, running)).status === 'started', {
      timeoutMs: 30_000,
    });
    const waiting = await run(server, {
      cmd: 'echo late',
      manager: { env: { shareDir: join(folder, 'later') } },
    });
    const fresh = await run(server, { cmd: 'echo fresh' });
    await server.kill9();
    mkdirSync(join(folder, 'later'));
    writeFileSync(join(folder, 'go'), '');
    await server.restart();
    expect(await ended(server, running)).toMatchObject({
      status: 'finishedWithError',
      logs: 'done\r\n',
    });
    expect(await ended(server, waiting)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'late\r\n',
    });
    expect(await ended(server, fresh)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'fresh\r\n',
    });
    for (const jid of [running, waiting, fresh]) await gone(jid);
  });

  it('are followed by their record alone, as the original has left it', async () => {
    const server = await start('swarm');
    const folder = tempDir();
    const cmd = 'sh -c "while [ ! -e /share/go ]; do sleep 0.1; done; echo done; exit 4"';
    const jid = await run(server, { cmd, manager: { env: { shareDir: folder } } });
    const gone1 = await run(server, { cmd: 'sleep 600' });
    for (const one of [jid, gone1]) {
      await eventually(async () => (await statusOf(server, one)).status === 'started', {
        timeoutMs: 30_000,
      });
    }
    await server.stop();
    rmSync(`${server.folders.DBpath}.spool/containers`, { recursive: true });
    docker('service', 'rm', gone1);
    await server.restart();
    expect(await ended(server, gone1)).toMatchObject({
      status: 'undefined',
      node: { cause: expect.stringContaining('removed by somebody else') },
    });
    writeFileSync(join(folder, 'go'), '');
    expect(await ended(server, jid)).toMatchObject({
      status: 'finishedWithError',
      logs: 'done\r\n',
    });
    await gone(jid);
  });

  it('end with the right state when 50 come at once', async () => {
    const server = await start('swarm');
    const jids = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        run(server, { cmd: `sh -c "echo ${i}; exit ${i % 2}"` }),
      ),
    );
    for (const [i, jid] of jids.entries()) {
      const { status, logs } = await ended(server, jid, 150_000);
      const word = i % 2 === 0 ? 'finishedSuccessfully' : 'finishedWithError';
      expect({ i, status, logs }).toEqual({ i, status: word, logs: `${i}\r\n` });
    }
    await eventually(() => jids.every((jid) => !services().includes(jid)), { timeoutMs: 60_000 });
  });
});
