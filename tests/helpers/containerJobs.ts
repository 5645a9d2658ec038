import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { docker, engine } from './docker.ts';
import { eventually } from './eventually.ts';
import { type StartOptions, startServer, type TestServer } from './startServer.ts';

export const busybox = 'local/busybox:latest';

/** What a status request tells of one container job. */
export interface Status {
  readonly status: string;
  readonly logs: string;
  readonly node: Readonly<Record<string, unknown>>;
  readonly note: string | undefined;
}

const servers = new Set<TestServer>();
/** A name for a job and its service that no other test has on the same engine. */
export const newId = () => `t${randomUUID()}`;

/** A server whose container jobs go to an engine, the Docker under test unless named; `stopAll` ends it. */
export async function start(
  env: 'swarm' | 'docker',
  options: StartOptions = {},
  address = engine,
): Promise<TestServer> {
  // Without an engine there are tests of what pman says then.
  const socket = address === undefined ? [] : ['--dockerSocket', address.replace('unix://', '')];
  const server = await startServer({
    ...options,
    flags: ['--container-env', env, ...socket, ...(options.flags ?? [])],
    env: { DOCKER_HOST: address, ...options.env },
  });
  servers.add(server);
  return server;
}

export interface Job {
  readonly jid?: string;
  readonly cmd: string;
  readonly image?: string;
  readonly manager?: object;
  readonly target?: object;
  readonly meta?: object;
}

export async function run(server: TestServer, job: Job): Promise<string> {
  const jid = job.jid ?? newId();
  const reply = await server.post('run', metaOf({ ...job, jid }), { timeoutMs: 60_000 });
  expect(reply).toMatchObject({ status: true });
  return jid;
}

export function metaOf({
  jid,
  cmd,
  image = busybox,
  manager = {},
  target = {},
  meta = {},
}: Job): object {
  return {
    ...{ cmd, auid: 'user', jid, threaded: true, ...meta },
    container: { target: { image, ...target }, manager },
  };
}

export async function statusOf(server: TestServer, jid: string): Promise<Status> {
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
export async function ended(server: TestServer, jid: string, timeoutMs = 60_000): Promise<Status> {
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

/** Names of the services of the engine under test. */
export const services = () =>
  docker('service', 'ls', '--format', '{{.Name}}').split('\n').filter(Boolean);
export const gone = (name: string) =>
  eventually(() => !services().includes(name), {
    pollMs: 100,
    message: `service ${name} to be removed`,
  });

/** A container's own limits, as its cgroup has them; of cgroup 2, or of 1. */
export const LIMITS =
  'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max 2>/dev/null || ' +
  'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us';

export function expectLimits(logs: string, memoryBytes: number, cpus: number): void {
  const [memory, quota, period] = logs.trim().split(/\s+/).map(Number);
  expect({ memory, cpus: (quota ?? 0) / (period ?? 1) }).toEqual({ memory: memoryBytes, cpus });
}

export async function stopAll(): Promise<void> {
  for (const server of servers) {
    if (server.isRunning) await server.stop();
    server.endJobs();
  }
  servers.clear();
}

/** Output without what a terminal has made of it: the managers that know nothing of us give one. */
export const unterminal = (text: string): string => text.replaceAll('\r\n', '\n');
