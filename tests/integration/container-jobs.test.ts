import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OWN_MANAGER_LABEL } from '../../lib/jobs/containerManager.ts';
import { docker, engine, engineMissing, managerImage, scriptImage } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { type StartOptions, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const app = 'fnndsc/pl-simpledsapp';
const foreignManager = 'fnndsc/swarm';
const ownManager = 'local/pman-swarm';
const busybox = 'local/busybox:latest';

/** Copies what comes in, with a prefix to each name, as the example's program does. */
const simpledsapp = `
prefix=$2; in=$3; out=$4
for file in "$in"/*; do echo "copying $file"; cp "$file" "$out/$prefix$(basename "$file")"; done
`;

interface Status {
  readonly status: string;
  readonly logs: string;
  readonly node: Readonly<Record<string, unknown>>;
  readonly note: string | undefined;
}

const servers = new Set<TestServer>();
let count = 0;
const newId = () => {
  count += 1;
  return `t${process.pid}-${count}`;
};

async function start(env: 'swarm' | 'docker', options: StartOptions = {}): Promise<TestServer> {
  const socket = (engine ?? '').replace('unix://', '');
  const server = await startServer({
    ...options,
    flags: ['--container-env', env, '--dockerSocket', socket, ...(options.flags ?? [])],
    env: { DOCKER_HOST: engine, ...options.env },
  });
  servers.add(server);
  return server;
}

interface Job {
  readonly jid?: string;
  readonly cmd: string;
  readonly image?: string;
  readonly manager?: object;
  readonly target?: object;
  readonly meta?: object;
}

async function run(server: TestServer, job: Job): Promise<string> {
  const jid = job.jid ?? newId();
  const reply = await server.post('run', metaOf({ ...job, jid }));
  expect(reply).toMatchObject({ status: true });
  return jid;
}

function metaOf({ jid, cmd, image = busybox, manager = {}, target = {}, meta = {} }: Job): object {
  return {
    ...{ cmd, auid: 'user', jid, threaded: true, ...meta },
    container: { target: { image, ...target }, manager },
  };
}

async function statusOf(server: TestServer, jid: string): Promise<Status> {
  const reply = await server.post('status', { key: 'jid', value: jid });
  const result = reply.d_ret as {
    readonly l_status: string[];
    readonly l_logs: string[];
    readonly note?: string;
    readonly '0.container': { readonly tree: Record<string, { container: object }> | null };
  };
  const node = Object.values(result['0.container'].tree ?? {})[0]?.container ?? {};
  const [status = '', logs = ''] = [result.l_status[0], result.l_logs[0]];
  return { status, logs, node: node as Status['node'], note: result.note };
}

/** Waits until the job is over, by nothing but its record: status requests would have the engine asked. */
async function ended(server: TestServer, jid: string, timeoutMs = 60_000): Promise<Status> {
  await eventually(
    async () => {
      const reply = await server.post('search', {
        key: 'jid',
        value: jid,
        path: '/container/currentState',
      });
      return /finished|undefined/.test(JSON.stringify(reply.d_ret));
    },
    { timeoutMs, pollMs: 50, message: `job ${jid} to end` },
  );
  return statusOf(server, jid);
}

const services = () => docker('service', 'ls', '--format', '{{.Name}}').split('\n').filter(Boolean);
const gone = (name: string) =>
  eventually(() => !services().includes(name), {
    timeoutMs: 20_000,
    pollMs: 100,
    message: `service ${name} to be removed`,
  });

/** A container's own limits, as its cgroup has them; of cgroup 2, or of 1. */
const LIMITS =
  'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max 2>/dev/null || ' +
  'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us';

function expectLimits(logs: string, memoryBytes: number, cpus: number): void {
  const [memory, quota, period] = logs.trim().split(/\s+/).map(Number);
  expect({ memory, cpus: (quota ?? 0) / (period ?? 1) }).toEqual({ memory: memoryBytes, cpus });
}

async function stopAll(): Promise<void> {
  for (const server of servers) {
    if (server.isRunning) await server.stop();
    server.endJobs();
  }
  servers.clear();
}

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
    chmodSync(input, 0o755);
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
      const mounts = [{ source: input, target: '/in', readOnly: true }];
      const other = await run(server, {
        cmd: 'sh -c "echo $WHO; id -u; cat /in/in; touch /in/x"',
        manager,
        target: { env: { WHO: 'me too' }, user: '65534', mounts },
      });
      const seen = await ended(server, other);
      expect(seen.status).toBe('finishedWithError');
      expect(seen.logs).toMatch(/^me too\r\n65534\r\ninputtouch: \/in\/x: .*\r\n$/);
      expect(existsSync(join(input, 'x'))).toBe(false);
    }
  });
});
