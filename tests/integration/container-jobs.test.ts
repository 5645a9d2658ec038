import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OWN_MANAGER_LABEL } from '../../swarm/labels.ts';
import {
  busybox,
  ended,
  expectLimits,
  gone,
  LIMITS,
  metaOf,
  newId,
  run,
  start,
  statusOf,
  stopAll,
  unterminal,
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
    ['a command', { cmd: '' }, /meta\.cmd/],
    ['a sound limit', { cpu_limit: 'many' }, /meta\.cpu_limit/],
    ['enough memory', { memory_limit: '1Mi' }, /less than 6Mi/],
    ['a name for the service', { jid: 'a/b' }, /cannot name a service/],
    ['a name that a swarm takes', { jid: 'under_score.x' }, /cannot name a service/],
    [
      'an absolute path to share',
      {
        container: { target: { image: busybox }, manager: { env: { shareDir: 'some/folder' } } },
      },
      /meta\.container\.manager\.env\.shareDir.*no absolute path/,
    ],
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
      expect(unterminal(logs)).toBe('copying /share/incoming/a b.txt\n');
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
      expect({ status, logs: unterminal(logs) }).toEqual({
        ...{ status: 'finishedWithError', logs: 'before\n' },
      });
      expect(node).toMatchObject({ cause: expect.stringContaining('non-zero exit (3)') });
      await gone(jid);
    });
  });

  it('end with a sentence, and leave nothing, when their manager makes no service', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'true',
      manager: { image: 'local/busybox', app: 'true' },
    });
    const { status, node } = await ended(server, jid);
    expect(status).toBe('finishedWithError');
    expect(node.cause).toMatch(/the manager made no service .*"true" of local\/busybox/);
    const left = () => docker('ps', '-a', '--no-trunc', '--format', '{{.Command}}');
    await eventually(() => !left().includes(jid));
    const reply = await server.post('delete', { key: 'jid', value: jid });
    expect(reply).toMatchObject({ status: true });
  });

  it('go on to their end when their manager does nothing but make the service', async () => {
    const server = await start('swarm');
    const script =
      "process.argv.splice(1, 0, 'x'); if (process.argv.includes('-s')) import('/app/dist/bin/swarm.js')";
    const manager = { image: foreignManager, app: `node -e "${script}" --` };
    const jid = await run(server, { cmd: 'echo fine', manager });
    const killed = await run(server, { cmd: 'sleep 600', manager });
    expect(await ended(server, jid)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: expect.stringMatching(/^fine\r?\n$/), // that program gives a terminal
    });
    await server.post('kill', { key: 'jid', value: killed, signal: 'KILL' });
    expect((await ended(server, killed)).status).toBe('finishedWithError');
    await gone(jid);
    await gone(killed);
  });

  it('do well with one worker when their manager knows of no more, and two were asked for', async () => {
    const server = await start('swarm');
    const meta = { number_of_workers: '2' };
    const manager = { image: foreignManager, app: 'swarm.py' };
    const { status, logs } = await ended(
      server,
      await run(server, { cmd: 'echo fine', manager, meta }),
    );
    expect([status, logs.trim()]).toEqual(['finishedSuccessfully', 'fine']);
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
        cmd: 'sh -c "echo $WHO; id -u; cp /in/in /out/out; cat /out/out; touch /in/x 2>&1"',
        manager,
        target: { env: { WHO: 'me too' }, user: '65534', mounts },
      });
      const seen = await ended(server, other);
      expect(seen.status).toBe('finishedWithError');
      // Of two streams nobody knows which came first.
      expect(seen.logs).toContain('me too\n65534\n');
      expect(seen.logs).toMatch(/touch: \/in\/x: .*\n/);
      expect(seen.logs).toContain('input');
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

  describe.each([
    ['the built-in manager', {}],
    ['a manager container of ours', { image: ownManager }],
  ])('of several workers by %s', (_, manager) => {
    it('run as many as asked for, and keep what each has written', async () => {
      const server = await start('swarm');
      const jid = await run(server, {
        cmd: 'sh -c "echo from $HOSTNAME"',
        manager,
        meta: { number_of_workers: '3' },
      });
      const { status, logs, node } = await ended(server, jid);
      expect(status).toBe('finishedSuccessfully');
      expect(new Set(logs.trim().split('\n')).size).toBe(3);
      expect(node.tasks).toHaveLength(3);
    });

    it('end when the last has, and have failed when one did', async () => {
      const server = await start('swarm');
      const share = tempDir();
      const jid = await run(server, {
        cmd: "sh -c 'mkdir /share/first && exit 3; while [ ! -e /share/go ]; do sleep 0.1; done; echo last'",
        manager: { ...manager, env: { shareDir: share } },
        meta: { number_of_workers: 3 },
      });
      await eventually(
        () => docker('service', 'ps', '--format', '{{.CurrentState}}', jid).includes('Failed'),
        { message: 'one worker to fail' },
      );
      expect((await statusOf(server, jid)).status).toBe('started');
      writeFileSync(join(share, 'go'), '');
      const { status, logs, node } = await ended(server, jid);
      expect(status).toBe('finishedWithError');
      expect(logs.match(/^last$/gm)).toHaveLength(2);
      expect(node.cause).toMatch(/exit \(3\)/);
    });
  });

  it('tell why they cannot start', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'true', image: 'local/nosuch' });
    const { status, node } = await ended(server, jid);
    expect(status).toBe('finishedWithError');
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
    await eventually(async () => (await words()).includes('started'));
    expect([...(await words())].sort()).toEqual(['notstarted', 'started']);
    writeFileSync(join(folder, 'go'), '');
    for (const jid of jids) {
      expect(await ended(server, jid)).toMatchObject({
        status: 'finishedSuccessfully',
        logs: 'DOCKER_RESOURCE_NVIDIA-GPU=gpu-0\n',
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

  it.each([
    ['short lines', '', 6],
    ['lines of 60 characters', 'x'.repeat(52), 58],
    ['long lines', 'x'.repeat(4000), 4006],
  ])('keep 512 KiB each of the beginning and the end of much output: %s', async (_, line, size) => {
    const server = await start('swarm');
    const last = 100_000 + Math.ceil(2 ** 21 / size);
    const program = `BEGIN { for (i = 100000; i <= ${last}; i++) print i "${line}" }`;
    const jid = await run(server, { cmd: `awk '${program}'` });
    const { status, logs } = await ended(server, jid);
    expect(status).toBe('finishedSuccessfully');
    const [head = '', tail = ''] = logs.split(/\n\[… the middle is left out: .* …\]\n/);
    expect([head.length, tail.length]).toEqual([2 ** 19, 2 ** 19]);
    expect(head.startsWith(`100000${line}\n100001`)).toBe(true);
    expect(tail.endsWith(`${last - 1}${line}\n${last}${line}\n`)).toBe(true);
  });
});
