import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import {
  type ClusterJob,
  clusterEnd,
  clusterMeta,
  clusterStatus,
  hasWritten,
  runInCluster,
  startPman,
  waitsFor,
} from '../helpers/kubernetesJobs.ts';
import { act, replyOf } from '../helpers/pman.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

await clusterTurn();

jest.setTimeout(240_000);

const FAILED = { status: 'finishedWithError', returncode: [null] };

describeWithEngine('what a cluster refuses', kubernetesMissing, () => {
  let cluster: KubernetesUnderTest;
  let server: TestServer;
  let nextName = 0;

  beforeAll(async () => {
    cluster = await KubernetesUnderTest.open();
  });
  afterAll(() => cluster.close());
  afterEach(async () => {
    if (server.isRunning) await server.stop();
  });
  const run = (job: ClusterJob) => runInCluster(server, cluster, job);
  const apply = (object: object) => {
    const file = join(tempDir(), 'object.json');
    writeFileSync(file, JSON.stringify(object));
    cluster.kubectl('apply', '-f', file);
  };
  /** Removes an object that is not to meet the next test. */
  const remove = (kind: string, name: string) =>
    cluster.kubectl('delete', kind, name, '--ignore-not-found', '--wait=true');

  it('is more GPUs than its nodes have: the job waits and says so; with one it runs', async () => {
    server = await startPman(cluster);
    const many = await run({ cmd: 'true', meta: { gpu_limit: 100 } });
    expect(await waitsFor(server, many)).toMatch(
      /^no node can take it: Unschedulable: .*Insufficient nvidia\.com\/gpu/,
    );
    await server.post('kill', { key: 'jid', value: many });
    expect(await clusterEnd(server, many)).toMatchObject(FAILED);
    const one = await run({
      cmd: 'sh -c "echo $NVIDIA_VISIBLE_DEVICES $NVIDIA_DRIVER_CAPABILITIES"'.replaceAll('"', "'"),
      meta: { gpu_limit: '1' },
    });
    expect(await clusterEnd(server, one)).toMatchObject({
      ...{ status: 'finishedSuccessfully', stdout: ['all compute,utility\n'] },
    });
  });

  it.each([
    ['runs', 'sleep 600', false],
    ['has ended', 'true', false],
    ['has ended, while pman follows other jobs', 'true', true],
  ])(
    'is the name of a Job of somebody else, which %s: 409, and that stays as it was',
    async (_, cmd, isInSync) => {
      server = await startPman(cluster);
      if (isInSync)
        await hasWritten(server, await run({ cmd: 'sh -c "echo up; sleep 600"' }), 'up');
      nextName += 1;
      const name = `somebody-elses-${nextName}`;
      const main = { name: 'main', image: cluster.image, imagePullPolicy: 'IfNotPresent' };
      const containers = [{ ...main, command: cmd.split(' ') }];
      const spec = { template: { spec: { restartPolicy: 'Never', containers } } };
      apply({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec });
      if (cmd === 'true') cluster.kubectl('wait', '--for=condition=Complete', `job/${name}`);
      const uid = () => cluster.kubectl('get', 'job', name, '-o', 'jsonpath={.metadata.uid}');
      const before = uid();
      const asked = clusterMeta(cluster, { jid: name, cmd: 'true' });
      const answer = await act(server, 'run', asked);
      expect([answer.status, replyOf(answer).error?.message]).toEqual([
        409,
        expect.stringContaining(`"${name}"`),
      ]);
      expect((await server.post('status', { key: 'jid', value: name })).status).toBe('Not Found');
      await act(server, 'delete', { key: 'jid', value: name });
      await act(server, 'kill', { key: 'jid', value: name });
      expect(uid()).toBe(before);
      remove('job', name);
      expect(await clusterEnd(server, await run({ jid: name, cmd: 'true' }))).toMatchObject({
        returncode: [0],
      });
    },
  );

  it.each([
    ['less processor than the least', { cpu: '500m' }, { cpu_limit: '100m' }, /minimum cpu usage/],
    ['less memory than the least', { memory: '64Mi' }, { memory_limit: '32' }, /minimum memory/],
  ])('is %s of the namespace: the job ends and says so', async (_, min, meta, why) => {
    const limits = [{ type: 'Container', min, defaultRequest: {} }];
    const kind = 'LimitRange';
    apply({ apiVersion: 'v1', kind, metadata: { name: 'least' }, spec: { limits } });
    try {
      server = await startPman(cluster);
      const end = await clusterEnd(server, await run({ cmd: 'true', meta }));
      expect(end).toMatchObject(FAILED);
      expect(end.cause[0]).toMatch(/^refused by the engine: no pod of it is taken: .*is forbidden/);
      expect(end.cause[0]).toMatch(why);
    } finally {
      remove('limitrange', 'least');
    }
  });

  it('is a job beyond the quota of Jobs: it says so, and begins when there is room', async () => {
    const spec = { hard: { 'count/jobs.batch': '0' } };
    apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec });
    try {
      await eventually(() =>
        cluster.kubectl('get', 'quota', 'none', '-o', 'jsonpath={.status.hard}').includes('0'),
      );
      server = await startPman(cluster);
      const jid = await run({ cmd: 'echo at last' });
      expect(await waitsFor(server, jid)).toMatch(/^it waits: .*exceeded quota: none/);
      remove('quota', 'none');
      expect(await clusterEnd(server, jid)).toMatchObject({ stdout: ['at last\n'] });
    } finally {
      remove('quota', 'none');
    }
  });

  it('is a namespace that is not there: the job ends and names it', async () => {
    server = await startPman(cluster, { flags: ['--namespace', 'nosuch-namespace'] });
    const end = await clusterEnd(server, await run({ cmd: 'true' }));
    expect(end).toMatchObject(FAILED);
    expect(end.cause[0]).toMatch(/^refused by the engine: .*"nosuch-namespace" not found/);
  });

  it('is what the role of pman does not allow: to look, and no job is taken', async () => {
    const kubeconfig = cluster.kubeconfigOfUser(['pods'], ['get']);
    server = await startPman(cluster, { kubeconfig });
    const asked = clusterMeta(cluster, { jid: 'looks', cmd: 'true' });
    const answer = await act(server, 'run', asked);
    expect(answer.status).toBe(503);
    const { error } = replyOf(answer);
    expect(error?.message).toMatch(/cannot list resource "jobs"/);
    expect(error?.hint).toContain('role');
  });

  it('is what the role of pman does not allow: to make Jobs; the job says so, and ends', async () => {
    const kubeconfig = cluster.kubeconfigOfUser(['jobs.batch', 'pods'], ['get', 'list', 'watch']);
    server = await startPman(cluster, { kubeconfig, flags: ['--startLimit', '3'] });
    const jid = await run({ cmd: 'true' });
    expect(await waitsFor(server, jid)).toMatch(/cannot create resource "jobs"/);
    const end = await clusterEnd(server, jid);
    expect(end).toMatchObject(FAILED);
    expect(end.cause[0]).toMatch(/^refused by the engine: .*cannot create resource "jobs"/);
  });

  it('is what the role of pman does not allow: to exec and to read outputs; jobs end all the same', async () => {
    const kubeconfig = cluster.kubeconfigOfUser(
      ['jobs.batch', 'pods'],
      ['create', 'get', 'list', 'watch', 'patch', 'delete'],
    );
    server = await startPman(cluster, { kubeconfig });
    const jid = await run({ cmd: 'sh -c "echo up; exit 3"' });
    const end = await clusterEnd(server, jid);
    expect(end).toMatchObject({ status: 'finishedWithError', returncode: [3] });
    expect(end.stdout[0]).toMatch(/could not be read|not at hand/);
  });

  it('tells its own limit for a Job, also while the pod takes its time to end', async () => {
    const template = join(tempDir(), 'pod.json');
    writeFileSync(template, JSON.stringify({ spec: { terminationGracePeriodSeconds: 4 } }));
    server = await startPman(cluster, { flags: ['--podTemplate', template] });
    const jid = await run({ cmd: `sh -c "trap '' TERM; echo up; while true; do sleep 0.1; done"` });
    await hasWritten(server, jid, 'up');
    cluster.kubectl('patch', 'job', jid, '-p', '{"spec": {"activeDeadlineSeconds": 1}}');
    const end = await clusterEnd(server, jid);
    expect(end.status).toBe('finishedWithError');
    expect(end.cause[0]).toMatch(/^time limit: kept by the cluster \(DeadlineExceeded\)/);
    expect((await clusterStatus(server, jid)).l_status).toEqual(['finishedWithError']);
  });

  it('takes back from a pod by eviction, and the job says so', async () => {
    server = await startPman(cluster);
    const jid = await run({ cmd: 'sh -c "echo up; sleep 600"' });
    await hasWritten(server, jid, 'up');
    const pod = cluster.kubectl(
      ...['get', 'pods', '-l', `job-name=${jid}`, '-o', 'jsonpath={.items[0].metadata.name}'],
    );
    const file = join(tempDir(), 'eviction.json');
    const metadata = { name: pod, namespace: cluster.namespace };
    writeFileSync(file, JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata }));
    const path = `/api/v1/namespaces/${cluster.namespace}/pods/${pod}/eviction`;
    cluster.kubectl('create', '--raw', path, '-f', file);
    const end = await clusterEnd(server, jid);
    expect(end.status).toBe('finishedWithError');
    expect(end.cause[0]).toMatch(/^ended by its node: the pod was evicted from/);
  });

  it('takes back from a pod that fills the disk of its node, and the job says so', async () => {
    const template = join(tempDir(), 'pod.json');
    const limited = { name: 'job', resources: { limits: { 'ephemeral-storage': '1Mi' } } };
    writeFileSync(template, JSON.stringify({ spec: { containers: [limited] } }));
    server = await startPman(cluster, { flags: ['--podTemplate', template] });
    const jid = await run({
      cmd: 'sh -c "echo up; head -c 20000000 /dev/zero >/tmp/much; sleep 600"',
    });
    const end = await clusterEnd(server, jid, 150_000);
    expect(end.status).toBe('finishedWithError');
    expect(end.cause[0]).toMatch(/^ended by its node: the pod was evicted: .*storage/);
  });

  it('takes back from a pod for one of a higher priority, and the job says so', async () => {
    const important = `important-${cluster.namespace}`;
    cluster.kubectl('create', 'priorityclass', important, '--value', '1000000');
    try {
      server = await startPman(cluster);
      // The node has one GPU.
      const jid = await run({ cmd: 'sh -c "echo up; sleep 600"', meta: { gpu_limit: 1 } });
      await hasWritten(server, jid, 'up');
      apply({
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'important' } },
        spec: {
          priorityClassName: important,
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              ...{ name: 'main', image: cluster.image, command: ['sleep', '600'] },
              resources: { limits: { 'nvidia.com/gpu': 1 } },
            },
          ],
        },
      });
      const end = await clusterEnd(server, jid);
      expect(end.status).toBe('finishedWithError');
      expect(end.cause[0]).toMatch(/^ended by its node: a pod of a higher priority took its place/);
    } finally {
      remove('pod', 'important');
      cluster.kubectl('delete', 'priorityclass', important);
    }
  });
});
