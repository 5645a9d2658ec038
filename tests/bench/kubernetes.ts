/**
 * How much longer a job of a cluster takes through pman than by the API alone: from the run request until pman says that it has
 * ended, against creating the same Job and watching it to its end, in turns. Needs PMAN_TEST_KUBERNETES.
 *
 *     npm run build && tsx tests/bench/kubernetes.ts [rounds] [jobs at once]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultKubernetes } from '../../lib/config/kubernetes.ts';
import { silentLogger } from '../../lib/log.ts';
import { jobBody } from '../../openshift/jobSpec.ts';
import { conditionOf, jobSchema } from '../../openshift/objects.ts';
import { clientOf } from '../../openshift/openKubernetes.ts';
import { Reflector } from '../../openshift/reflector.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import { startServer } from '../helpers/startServer.ts';
import { missed, row } from './row.ts';

const missing = kubernetesMissing();
if (missing !== undefined) throw new Error(missing);
const [roundsText = '10', jobsText = '1'] = process.argv.slice(2);
const [rounds, jobs] = [Number(roundsText), Number(jobsText)];
/** How long a job may wait for its turn, in milliseconds. */
const PATIENCE_MS = 600_000;
const LIMIT = 1.2;

const cluster = await KubernetesUnderTest.open();
const { kubeconfig, namespace, image } = cluster;
const settings = { ...defaultKubernetes(), kubeconfig, namespace };
const client = clientOf(settings);
const server = await startServer({
  flags: ['--container-env', 'kubernetes', '--kubeconfig', kubeconfig, '--namespace', namespace],
});

async function byApi(round: string): Promise<number> {
  const names = Array.from({ length: jobs }, (_, i) => `${round}-${i}`);
  const begin = performance.now();
  const making = Promise.all(
    names.map((name) => {
      const owner = { job: 'bench', instance: 'bench', jid: name, auid: 'a' };
      const request = { name, image, cmd: 'echo hi', owner, options: {} };
      const facts = { isOpenShift: false, hasLimitPerIndex: true, template: {}, namespace };
      const body = jobBody(request, settings, facts);
      return client.ask('create', { method: 'POST', path: client.path('jobs'), body });
    }),
  );
  const left = new Set(names);
  const over = new AbortController();
  const watch = new Reflector({
    ...{ client, kind: 'jobs', schema: jobSchema, log: silentLogger() },
    query: {},
    onList: () => undefined,
    onChange: (job) => {
      if (conditionOf(job, 'Complete') !== undefined) left.delete(job.metadata.name);
      if (left.size === 0) over.abort();
    },
  });
  await watch.run(over.signal, () => undefined);
  await making;
  const pods = (await client.ask('list', { path: client.path('pods') })) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  };
  await Promise.all(
    pods.items.map(async ({ metadata: { name } }) => {
      const path = client.path('pods', name, 'log');
      for await (const _ of await client.open('read', { path }, AbortSignal.timeout(PATIENCE_MS)));
    }),
  );
  const ms = performance.now() - begin;
  await Promise.all(
    names.map((name) => {
      const path = client.path('jobs', name);
      const body = { propagationPolicy: 'Background' };
      return client.ask('remove', { method: 'DELETE', path, body });
    }),
  );
  return ms;
}

async function onePman(jid: string): Promise<void> {
  const container = { target: { image }, manager: {} };
  const meta = { cmd: 'echo hi', auid: 'a', jid, threaded: false, container };
  const { status } = await server.post('run', meta, { timeoutMs: PATIENCE_MS });
  if (status !== true) throw new Error(`the job was not run: ${status}`);
}

async function byPman(round: string): Promise<number> {
  const begin = performance.now();
  await Promise.all(Array.from({ length: jobs }, (_, i) => onePman(`${round}-${i}`)));
  const ms = performance.now() - begin;
  await nothingLeft();
  return ms;
}

/** What earlier jobs have left is not to be in the way of others. */
async function nothingLeft(): Promise<void> {
  for (;;) {
    const { items } = (await client.ask('list', { path: client.path('pods') })) as {
      readonly items: readonly unknown[];
    };
    if (items.length === 0) return;
    await sleep(200);
  }
}

const times = { api: [] as number[], pman: [] as number[] };
await byPman('bench-warm');
for (let i = 0; i < rounds; i += 1) {
  times.api.push(await byApi(`bench-a${i}`));
  await nothingLeft();
  times.pman.push(await byPman(`bench-p${i}`));
}
await server.stop();
server.endJobs();
await cluster.close();
const median = (list: readonly number[]) =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const [direct, through] = [median(times.api), median(times.pman)];
const ratio = through / direct;
console.log(
  `API ${direct.toFixed(0)} ms, pman ${through.toFixed(0)} ms (${jobs} at once, medians of ${rounds}): ${ratio.toFixed(2)}x, limit ${LIMIT}x`,
);
row({
  what: `${jobs} jobs of a Kubernetes cluster at once, until all outputs are known`,
  limit: `its API alone, ${(direct / 1000).toFixed(1)} s`,
  goal: `${LIMIT} times`,
  measured: `${ratio.toFixed(2)} times, ${(through / 1000).toFixed(1)} s`,
});
if (ratio > LIMIT) missed(`${LIMIT} times the API alone`);
