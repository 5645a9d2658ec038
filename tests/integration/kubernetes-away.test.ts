import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { EngineRelay } from '../helpers/engineRelay.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  KubernetesUnderTest,
  kubernetesMissing,
  ownKubernetesMissing,
} from '../helpers/kubernetes.ts';
import {
  clusterEnd,
  clusterMeta,
  clusterStatus,
  hasWritten,
  runInCluster,
  startPman,
  waitsFor,
} from '../helpers/kubernetesJobs.ts';
import { act, replyOf, resultOf } from '../helpers/pman.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

await clusterTurn();

jest.setTimeout(240_000);

/** Counts its runs, says that it is up, waits for the file `go`, and ends with 3. */
const GATED =
  'sh -c "echo run >>/share/runs; echo up; while [ ! -e /share/go ]; do sleep 0.1; done; echo gone on; exit 3"';

describeWithEngine(
  'jobs of a Kubernetes cluster, when something is away',
  kubernetesMissing,
  () => {
    let cluster: KubernetesUnderTest;
    let server: TestServer;
    let relay: EngineRelay | undefined;

    beforeAll(async () => {
      cluster = await KubernetesUnderTest.open();
    });
    afterAll(() => cluster.close());
    afterEach(async () => {
      if (server.isRunning) await server.stop();
      server.endJobs();
      await eventually(() => server.children().length === 0);
      await relay?.cut();
      relay = undefined;
    });

    const gated = async () => {
      const folder = tempDir();
      chmodSync(folder, 0o777);
      const jid = await runInCluster(server, cluster, { cmd: GATED, shareDir: folder });
      const file = join(folder, 'runs');
      return {
        jid,
        go: () => writeFileSync(join(folder, 'go'), ''),
        runs: () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0),
      };
    };
    const ENDED = { returncode: [3], stdout: ['up\ngone on\n'] };

    it('a pman that is killed goes on with its jobs, and learns how those ended that ended meanwhile', async () => {
      server = await startPman(cluster);
      const [one, other] = [await gated(), await gated()];
      for (const { jid } of [one, other]) await hasWritten(server, jid, 'up');
      await server.kill9();
      one.go();
      await eventually(
        () =>
          cluster.kubectl('get', 'job', one.jid, '-o', 'jsonpath={.status.failed}').trim() === '1',
        { timeoutMs: 60_000, pollMs: 200, message: 'the job to end' },
      );
      await server.restart();
      expect(await clusterEnd(server, one.jid)).toMatchObject(ENDED);
      expect((await clusterStatus(server, other.jid)).l_status).toEqual(['started']);
      other.go();
      expect(await clusterEnd(server, other.jid)).toMatchObject(ENDED);
      expect([one.runs(), other.runs()]).toEqual([1, 1]);
    });

    it('an API server that cannot be reached refuses new jobs; the state of the others is what was known, and says so', async () => {
      relay = await EngineRelay.to(cluster.port);
      const kubeconfig = cluster.kubeconfigAt(relay.port);
      server = await startPman(cluster, { kubeconfig });
      const { jid, go, runs } = await gated();
      await hasWritten(server, jid, 'up');
      await relay.cut();
      await eventually(async () => 'note' in (await clusterStatus(server, jid)), {
        message: 'the server to see that the API server is away',
      });
      const answer = await act(server, 'run', clusterMeta(cluster, { jid: 'other', cmd: 'true' }));
      expect(answer.status).toBe(503);
      expect(replyOf(answer).error).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('no answer from the Kubernetes API'),
      });
      const status = await clusterStatus(server, jid);
      expect(status).toMatchObject({
        l_status: ['started'],
        note: expect.stringContaining('what was known last'),
      });
      await relay.restore();
      go();
      expect(await clusterEnd(server, jid)).toMatchObject(ENDED);
      expect(runs()).toBe(1);
    });

    it('a token that is refused is read again from the kubeconfig, and jobs go on', async () => {
      const resources = ['jobs.batch', 'pods', 'pods/log', 'pods/exec', 'events'];
      const verbs = ['create', 'get', 'list', 'watch', 'patch', 'delete'];
      const kubeconfig = cluster.kubeconfigOfUser(resources, verbs, 'first');
      const next = cluster.kubeconfigOfUser(resources, verbs, 'second');
      server = await startPman(cluster, { kubeconfig });
      const { jid, go, runs } = await gated();
      await hasWritten(server, jid, 'up');
      cluster.kubectl('delete', 'serviceaccount', 'first');
      await eventually(() => !cluster.knows(kubeconfig), {
        ...{ timeoutMs: 60_000, pollMs: 500, message: 'the old token to be refused' },
      });
      const late = await runInCluster(server, cluster, { cmd: 'echo late' });
      expect(await waitsFor(server, late)).toMatch(/^it waits: .*Unauthorized/);
      renameSync(next, kubeconfig);
      go();
      expect(await clusterEnd(server, jid)).toMatchObject(ENDED);
      expect(runs()).toBe(1);
      expect(await clusterEnd(server, late)).toMatchObject({ stdout: ['late\n'] });
    });

    it('a kubeconfig that is not there is told when a job comes; host jobs run', async () => {
      const kubeconfig = join(tempDir(), 'nosuch');
      server = await startPman(cluster, { kubeconfig });
      const answer = await act(server, 'run', clusterMeta(cluster, { jid: 'a', cmd: 'true' }));
      expect(answer.status).toBe(503);
      expect(replyOf(answer).error?.message).toContain(kubeconfig);
      await server.post('run', { cmd: 'exit 3', auid: 'u', jid: 'h' });
      expect(await resultOf(server, 'h')).toMatchObject({ returncode: [3] });
    });
  },
);

describeWithEngine(
  'jobs of a Kubernetes cluster whose programs are killed',
  ownKubernetesMissing,
  () => {
    let cluster: KubernetesUnderTest;
    let server: TestServer;

    beforeAll(async () => {
      cluster = await KubernetesUnderTest.open();
      server = await startPman(cluster);
    });
    afterAll(async () => {
      await server.kill9();
      await cluster.close();
    });

    it.each([
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kubelet',
      'containerd',
    ] as const)('go on when it was %s, and end once', async (program) => {
      const folder = tempDir();
      chmodSync(folder, 0o777);
      const jid = await runInCluster(server, cluster, { cmd: GATED, shareDir: folder });
      await hasWritten(server, jid, 'up');
      await cluster.restart(program);
      // What is written while nobody reads it is in no log: the job goes on once its output is read again.
      await eventually(() => cluster.kubectl('logs', `job/${jid}`) === 'up\n', {
        ...{ timeoutMs: 110_000, pollMs: 100, message: 'the node to read outputs again' },
      });
      writeFileSync(join(folder, 'go'), '');
      const end = await clusterEnd(server, jid, 180_000);
      expect(end).toMatchObject({ returncode: [3], stdout: ['up\ngone on\n'] });
      expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n');
    });

    it('give each byte once to those who follow, whether they begin before, while or after containerd is away', async () => {
      const folder = tempDir();
      chmodSync(folder, 0o777);
      const jid = await runInCluster(server, cluster, { cmd: GATED, shareDir: folder });
      await hasWritten(server, jid, 'up');
      const url = `http://127.0.0.1:${server.port}/api/v1/_-1/stdout?follow=1`;
      const outputs: Promise<string>[] = [];
      const follow = async () => {
        const answer = await fetch(url);
        outputs.push(answer.text());
      };
      await follow();
      cluster.kill('containerd');
      try {
        await follow();
        // Its node says so in place of the output.
        await eventually(() => /^unable to retrieve/.test(cluster.kubectl('logs', `job/${jid}`)), {
          ...{ pollMs: 100, message: 'the node to read outputs no longer' },
        });
        await follow();
      } finally {
        await cluster.start('containerd');
      }
      await eventually(() => cluster.kubectl('logs', `job/${jid}`) === 'up\n', {
        ...{ timeoutMs: 110_000, pollMs: 100, message: 'the node to read outputs again' },
      });
      await follow();
      writeFileSync(join(folder, 'go'), '');
      const stdout = 'up\ngone on\n';
      expect(await clusterEnd(server, jid, 180_000)).toMatchObject({
        ...{ returncode: [3], stdout: [stdout] },
      });
      expect(await Promise.all(outputs)).toEqual([stdout, stdout, stdout, stdout]);
    });

    it('end without an exit code when their node is lost, say so, and are not run again', async () => {
      const folder = tempDir();
      chmodSync(folder, 0o777);
      const jid = await runInCluster(server, cluster, { cmd: GATED, shareDir: folder });
      await hasWritten(server, jid, 'up');
      const [node = ''] = cluster
        .kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')
        .split(' ');
      cluster.kill('kubelet');
      try {
        // What runs a cluster tells it so that a machine is gone; the cluster then gives its pods up.
        cluster.kubectl('delete', 'node', node, '--wait=false');
        const end = await clusterEnd(server, jid, 180_000);
        expect(end).toMatchObject({ status: 'finishedWithError', returncode: [null] });
        expect(end.cause[0]).toMatch(/^its node is lost: /);
      } finally {
        await cluster.bringUp();
      }
      expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n');
    });
  },
);
