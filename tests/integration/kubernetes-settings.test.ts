import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import { clusterEnd, runInCluster, startPman, waitsFor } from '../helpers/kubernetesJobs.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

await clusterTurn();

jest.setTimeout(180_000);

describeWithEngine('the settings for jobs of a cluster', kubernetesMissing, () => {
  let cluster: KubernetesUnderTest;
  let server: TestServer;

  beforeAll(async () => {
    cluster = await KubernetesUnderTest.open();
  });
  afterAll(() => cluster.close());
  afterEach(async () => {
    await server.kill9();
  });
  const apply = (object: object) => {
    const file = join(tempDir(), 'object.json');
    writeFileSync(file, JSON.stringify(object));
    cluster.kubectl('apply', '-f', file);
  };
  /** The pod that Kubernetes makes for a job. */
  const podOf = (jid: string) =>
    eventually(
      () =>
        JSON.parse(cluster.kubectl('get', 'pods', '-l', `job-name=${jid}`, '-o', 'json')).items[0],
      { timeoutMs: 30_000, pollMs: 100, message: `a pod of ${jid}` },
    );

  it('and a template of the pod are in each pod, and what pman sets wins', async () => {
    const template = join(tempDir(), 'pod.yaml');
    writeFileSync(
      template,
      `
metadata: { labels: { team: brain, job-origin: other }, annotations: { from: template } }
spec:
  restartPolicy: Always
  terminationGracePeriodSeconds: 7
  tolerations: [{ key: gpu, operator: Exists }]
  containers:
    - { name: job, env: [{ name: FROM, value: template }, { name: CPU_LIMIT, value: none }] }
`,
    );
    cluster.kubectl('create', 'serviceaccount', 'worker');
    server = await startPman(cluster, {
      flags: [
        ...['--podTemplate', template, '--podLabels', 'a=b,c=d', '--podAnnotations', 'note=x'],
        ...['--serviceAccount', 'worker', '--imagePullSecrets', 'registry', '--shmSize', '32'],
        ...['--runAsUser', '2000', '--runAsGroup', '3000', '--fsGroup', '4000'],
      ],
    });
    const jid = await runInCluster(server, cluster, {
      cmd: `sh -c 'echo "$FROM $CPU_LIMIT"; id; df -m /dev/shm | tail -1'`,
    });
    const { metadata, spec } = await podOf(jid);
    expect(metadata.labels).toMatchObject({ team: 'brain', a: 'b', c: 'd', 'job-origin': 'pman' });
    expect(metadata.annotations).toMatchObject({ from: 'template', note: 'x' });
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 7,
      serviceAccountName: 'worker',
      imagePullSecrets: [{ name: 'registry' }],
      tolerations: expect.arrayContaining([{ key: 'gpu', operator: 'Exists' }]),
      securityContext: { runAsNonRoot: true, runAsUser: 2000, runAsGroup: 3000, fsGroup: 4000 },
    });
    expect(spec.containers).toHaveLength(1);
    const { stdout } = await clusterEnd(server, jid);
    expect(stdout[0]).toMatch(/^template 2000m\nuid=2000 gid=3000 groups=.*4000.*\n\S+ +32 /);
  });

  it('put jobs into a folder of a claim, which their user can write', async () => {
    apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'shares' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } },
    });
    server = await startPman(cluster, {
      flags: ['--sharePvc', 'shares'],
      env: { STOREBASE: '/store' },
    });
    const write = await runInCluster(server, cluster, {
      cmd: 'sh -c "echo kept >/share/file && id -u"',
      shareDir: '/store/users/key-1',
    });
    expect(await clusterEnd(server, write)).toMatchObject({ returncode: [0], stdout: ['1000\n'] });
    const read = await runInCluster(server, cluster, {
      cmd: 'cat /share/key-1/file',
      shareDir: '/elsewhere/users/',
    });
    expect(await clusterEnd(server, read)).toMatchObject({ returncode: [0], stdout: ['kept\n'] });
  });

  it('bring the claim and the containers of swift, as the original does', async () => {
    server = await startPman(cluster, {
      flags: ['--publisherImage', cluster.image],
      env: { STORAGE_TYPE: 'swift' },
    });
    const jid = await runInCluster(server, cluster, { cmd: 'cp /share/incoming /share/outgoing' });
    const { spec } = await podOf(jid);
    const names = (all: ReadonlyArray<{ name: string }>) => all.map(({ name }) => name);
    expect(names(spec.initContainers)).toEqual(['init-storage']);
    expect(names(spec.containers)).toEqual([jid, 'publish']);
    expect(names(spec.volumes)).toEqual([
      ...['shared-volume', 'swift-credentials', 'kubecfg-volume', 'local-volume'],
    ]);
    const claims = () => cluster.kubectl('get', 'pvc', '-o', 'name');
    expect(claims()).toContain(`${jid}-storage-claim`);
    await server.post('delete', { key: 'jid', value: jid });
    await eventually(() => !claims().includes(`${jid}-storage-claim`), {
      timeoutMs: 30_000,
      message: 'the claim to be removed',
    });
  });

  it('fulfil the restricted profile, where the namespace wants it; what does not is told in words', async () => {
    const label = 'pod-security.kubernetes.io/enforce';
    cluster.kubectl('label', 'namespace', cluster.namespace, `${label}=restricted`);
    try {
      server = await startPman(cluster);
      const good = await runInCluster(server, cluster, { cmd: 'id -u' });
      expect(await clusterEnd(server, good)).toMatchObject({ stdout: ['1000\n'] });
      const root = await runInCluster(server, cluster, { cmd: 'id -u', target: { user: '0' } });
      const end = await clusterEnd(server, root);
      expect(end).toMatchObject({ status: 'finishedWithError', returncode: [null] });
      expect(end.cause[0]).toMatch(/violates PodSecurity "restricted.*runAs/);
    } finally {
      cluster.kubectl('label', 'namespace', cluster.namespace, `${label}-`);
    }
  });

  it('of the namespace are kept to: less than its least is told in words, and a quota is waited for', async () => {
    apply({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'least' },
      spec: { limits: [{ type: 'Container', min: { memory: '64Mi' } }] },
    });
    server = await startPman(cluster);
    const small = await runInCluster(server, cluster, {
      cmd: 'true',
      meta: { memory_limit: '32Mi' },
    });
    const end = await clusterEnd(server, small);
    expect(end.status).toBe('finishedWithError');
    expect(end.cause[0]).toMatch(/minimum memory usage per Container is 64Mi/);
    cluster.kubectl('delete', 'limitrange', 'least');

    apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none' },
      spec: { hard: { pods: '0' } },
    });
    const waiting = await runInCluster(server, cluster, { cmd: 'echo at last' });
    expect(await waitsFor(server, waiting)).toMatch(/exceeded quota: none/);
    cluster.kubectl('delete', 'resourcequota', 'none');
    expect(await clusterEnd(server, waiting)).toMatchObject({ stdout: ['at last\n'] });
  });
});
