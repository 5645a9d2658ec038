import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { eventually } from './eventually.ts';
import type { KubernetesUnderTest } from './kubernetes.ts';
import { type JobResult, resultOf } from './pman.ts';
import { type StartOptions, startServer, type TestServer } from './startServer.ts';

export interface ClusterJob {
  readonly jid?: string;
  readonly cmd: string;
  readonly image?: string;
  /** More members of meta.container.target. */
  readonly target?: object;
  readonly shareDir?: string;
  /** More members of meta. */
  readonly meta?: object;
}

/** A job of a cluster as `status` tells of it (protocol h). */
export interface ClusterStatus {
  readonly description: string;
  readonly l_logs: string;
  readonly l_status: readonly string[] | string;
  readonly note?: string;
}

/** What the record says of why a job waits, or of how it ended. */
export interface ClusterEnd extends JobResult {
  readonly why: string;
}

/** A pman whose container jobs go to the cluster under test, in a namespace of the test. */
export function startPman(
  cluster: KubernetesUnderTest,
  { flags = [], ...options }: StartOptions & { readonly kubeconfig?: string } = {},
): Promise<TestServer> {
  const kubeconfig = options.kubeconfig ?? cluster.kubeconfig;
  return startServer({
    ...options,
    flags: [
      ...['--container-env', 'kubernetes', '--kubeconfig', kubeconfig],
      ...['--namespace', cluster.namespace, ...flags],
    ],
  });
}

/** Has a job run; gives its jid. */
export async function runInCluster(
  server: TestServer,
  cluster: KubernetesUnderTest,
  job: ClusterJob,
): Promise<string> {
  const jid = job.jid ?? `k${randomUUID()}`;
  const reply = await server.post('run', clusterMeta(cluster, { ...job, jid }), {
    timeoutMs: 60_000,
  });
  expect(reply).toMatchObject({ status: true });
  return jid;
}

export function clusterMeta(
  cluster: KubernetesUnderTest,
  { jid, cmd, image = cluster.image, target = {}, shareDir, meta = {} }: ClusterJob,
): object {
  const env = shareDir === undefined ? {} : { shareDir };
  return {
    ...{ cmd, auid: 'user', jid, threaded: true, ...meta },
    container: { target: { image, ...target }, manager: { env } },
  };
}

export async function clusterStatus(server: TestServer, jid: string): Promise<ClusterStatus> {
  const { d_ret } = await server.post('status', { key: 'jid', value: jid }, { timeoutMs: 30_000 });
  return d_ret as ClusterStatus;
}

/** Waits until the job's record has its end. */
export function clusterEnd(
  server: TestServer,
  jid: string,
  timeoutMs = 90_000,
): Promise<JobResult> {
  return eventually(
    async () => {
      const result = await resultOf(server, jid);
      return ['notstarted', 'started'].includes(result.status) ? undefined : result;
    },
    { timeoutMs, pollMs: 100, message: `job ${jid} to end` },
  );
}

/** Waits until the job says, in its record, why it waits. */
export function waitsFor(server: TestServer, jid: string): Promise<string> {
  return eventually(async () => (await resultOf(server, jid)).cause[0] || undefined, {
    timeoutMs: 60_000,
    pollMs: 200,
    message: `job ${jid} to say why it waits`,
  });
}

/** Waits until the job has written this. */
export async function hasWritten(server: TestServer, jid: string, text: string): Promise<void> {
  await eventually(async () => (await resultOf(server, jid)).stdout.join('').includes(text), {
    // A cluster whose programs were killed by the tests before takes its time.
    ...{ timeoutMs: 110_000, pollMs: 100, message: `job ${jid} to write ${text}` },
  });
}
