import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { defaultKubernetes } from '../../lib/config/kubernetes.ts';
import { silentLogger } from '../../lib/log.ts';
import { clientOf, kubernetesOver } from '../../openshift/openKubernetes.ts';
import { readShown } from '../../openshift/shownWork.ts';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { ContainerPman } from '../helpers/containerPman.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';

await clusterTurn();

jest.setTimeout(600_000);

/** How many at once; PMAN_TEST_KUBERNETES_JOBS for a measurement. */
const JOBS = Number(process.env.PMAN_TEST_KUBERNETES_JOBS ?? 20);

describeWithEngine('many jobs at once', kubernetesMissing, () => {
  let cluster: KubernetesUnderTest;
  beforeAll(async () => {
    cluster = await KubernetesUnderTest.open();
  });
  afterAll(() => cluster.close());

  it('cost the API server a few requests each: nothing is asked again and again', async () => {
    const { kubeconfig, namespace, image } = cluster;
    const settings = { ...defaultKubernetes(), kubeconfig, namespace };
    const client = clientOf(settings);
    const engine = kubernetesOver(client, { settings, log: silentLogger() });
    const pman = new ContainerPman(async () => engine, readShown, image);
    const begin = Date.now();
    const roots = await Promise.all(
      Array.from({ length: JOBS }, (_, i) =>
        pman.submit(`sh -c "echo ${i}; exit ${i % 3}"`, { meta: { cpu_limit: '20m' } }),
      ),
    );
    const ends = await Promise.all(roots.map((root) => pman.end(root, 500_000)));
    const tookMs = Date.now() - begin;
    // One without an exit code says why.
    expect(ends.map(({ exitCode, cause }) => exitCode ?? cause)).toEqual(
      roots.map((_, i) => i % 3),
    );
    expect(ends.map(({ output }) => output)).toEqual(roots.map((_, i) => `${i}\n`));
    await eventually(() => cluster.kubectl('get', 'jobs', '-o', 'name') === '', {
      timeoutMs: 120_000,
      message: 'all Jobs to be removed',
    });
    const total = [...client.counts.values()].reduce((sum, count) => sum + count, 0);
    if (process.env.PMAN_TEST_KUBERNETES_JOBS) {
      console.log({
        jobs: JOBS,
        tookMs,
        perJob: total / JOBS,
        ...Object.fromEntries(client.counts),
      });
    }
    // Made, read, removed; the names of those that come before anything is listened to are looked for, and an output that is
    // not ready is asked for again.
    expect(total).toBeLessThan(4 * JOBS + 40);
    await pman.close();
  });
});
