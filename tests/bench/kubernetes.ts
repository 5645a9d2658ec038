/**
 * How much longer a job of a cluster takes through pman than by the API alone: from the run request until pman says that it has
 * ended, against creating the same Job and watching it to its end, in turns. Needs PMAN_TEST_KUBERNETES.
 *
 *     npm run build && tsx tests/bench/kubernetes.ts [rounds]
 */
import { defaultKubernetes } from '../../lib/config/kubernetes.ts';
import { silentLogger } from '../../lib/log.ts';
import { jobBody } from '../../openshift/jobSpec.ts';
import { conditionOf, jobSchema } from '../../openshift/objects.ts';
import { clientOf } from '../../openshift/openKubernetes.ts';
import { Reflector } from '../../openshift/reflector.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import { startServer } from '../helpers/startServer.ts';

const missing = kubernetesMissing();
if (missing !== undefined) throw new Error(missing);
const rounds = Number(process.argv[2] ?? 10);
const LIMIT = 1.2;

const cluster = await KubernetesUnderTest.open();
const { kubeconfig, namespace, image } = cluster;
const settings = { ...defaultKubernetes(), kubeconfig, namespace };
const client = clientOf(settings);
const server = await startServer({
  flags: ['--container-env', 'kubernetes', '--kubeconfig', kubeconfig, '--namespace', namespace],
});

async function byApi(name: string): Promise<number> {
  const owner = { job: 'bench', instance: 'bench', jid: name, auid: 'a' };
  const request = { name, image, cmd: 'echo hi', owner, options: {} };
  const facts = { isOpenShift: false, hasLimitPerIndex: true, template: {}, namespace };
  const body = jobBody(request, settings, facts);
  const begin = performance.now();
  await client.ask('create', { method: 'POST', path: client.path('jobs'), body });
  const over = new AbortController();
  const watch = new Reflector({
    ...{ client, kind: 'jobs', schema: jobSchema, log: silentLogger() },
    query: { fieldSelector: `metadata.name=${name}` },
    onList: () => undefined,
    onChange: (job) => {
      if (conditionOf(job, 'Complete') !== undefined) over.abort();
    },
  });
  await watch.run(over.signal, () => undefined);
  const ms = performance.now() - begin;
  const path = client.path('jobs', name);
  await client.ask('remove', { method: 'DELETE', path, body: { propagationPolicy: 'Background' } });
  return ms;
}

async function byPman(jid: string): Promise<number> {
  const begin = performance.now();
  const container = { target: { image }, manager: {} };
  const meta = { cmd: 'echo hi', auid: 'a', jid, threaded: false, container };
  const { status } = await server.post('run', meta, { timeoutMs: 60_000 });
  if (status !== true) throw new Error(`the job was not run: ${status}`);
  return performance.now() - begin;
}

const times = { api: [] as number[], pman: [] as number[] };
await byPman('bench-warm');
for (let i = 0; i < rounds; i += 1) {
  times.api.push(await byApi(`bench-a${i}`));
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
  `API ${direct.toFixed(0)} ms, pman ${through.toFixed(0)} ms (medians of ${rounds}): ${ratio.toFixed(2)}x, limit ${LIMIT}x`,
);
process.exitCode = ratio <= LIMIT ? 0 : 1;
