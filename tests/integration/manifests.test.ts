import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { bringImage, DeployedPman, deploymentMissing } from '../helpers/deployedPman.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import { overlay, processedTemplate } from '../helpers/manifests.ts';
import { tempDir } from '../helpers/tempDir.ts';

await clusterTurn();

const TOKEN = 'a-token-of-the-test';
const DATA = { key: 'k1', shareDir: '/hostFS/storeBase/key-k1' };

/** What OpenShift puts into the pods of a project: any user, in the group of root. */
const PROJECT_USER = 1_000_650_000;
const asOpenShift = [
  { op: 'add', path: '/spec/template/spec/securityContext/runAsUser', value: PROJECT_USER },
  { op: 'add', path: '/spec/template/spec/securityContext/fsGroup', value: PROJECT_USER },
];

describeWithEngine('the manifests, as an API server reads them', kubernetesMissing, () => {
  let cluster: KubernetesUnderTest;
  beforeAll(async () => {
    cluster = await KubernetesUnderTest.open();
  });
  afterAll(() => cluster.close());

  it.each(['kubernetes', 'openshift'])('are right in the overlay %s', (name) => {
    const made = cluster.kubectl('apply', '--dry-run=server', '-k', overlay(name));
    expect(made).toContain('deployment.apps/pman created');
    expect(made).toContain('deployment.apps/pfioh created');
  });

  it('are right in the OpenShift template, but for routes, which only OpenShift knows', () => {
    const items = processedTemplate({ TOKEN }).filter(({ kind }) => kind !== 'Route');
    const file = join(tempDir(), 'list.json');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const made = cluster.kubectl('apply', '--dry-run=server', '-f', file);
    expect(made.trim().split('\n')).toHaveLength(items.length);
  });
});

describeWithEngine('pman and pfioh in a cluster', deploymentMissing, () => {
  jest.setTimeout(240_000);
  beforeAll(bringImage);

  describe.each([
    ['kubernetes', [], 1000],
    ['openshift', asOpenShift, PROJECT_USER],
  ])('by the overlay %s', (name, patches, user) => {
    let cluster: KubernetesUnderTest;
    let deployed: DeployedPman;

    beforeAll(async () => {
      cluster = await KubernetesUnderTest.open();
      const enforced = 'pod-security.kubernetes.io/enforce=restricted';
      cluster.kubectl('label', 'namespace', cluster.namespace, enforced);
      const secret = ['secret', 'generic', 'pman-tokens', `--from-literal=tokens=${TOKEN}`];
      cluster.kubectl('create', ...secret);
      deployed = DeployedPman.start(cluster, name, patches);
    });
    afterAll(() => cluster?.close());

    const job = (jid: string, cmd: string, meta: object = {}) =>
      deployed.post('run', {
        ...{ cmd, auid: 'tester', jid, threaded: true, cpu_limit: '100m', ...meta },
        container: {
          target: { image: cluster.image },
          manager: { env: { shareDir: DATA.shareDir } },
        },
      });

    it('answer who sends the token, and nobody else', () => {
      const hello = { action: 'hello', meta: { askAbout: 'timestamp' } };
      expect(deployed.ask('pman', hello)).toMatchObject({ status: true });
      expect(deployed.ask('pman', hello, 'another')).toMatchObject({
        status: false,
        error: { code: 'unauthorized' },
      });
      expect(JSON.stringify(deployed.ask('pfioh', hello, 'another'))).toContain('unauthorized');
    });

    it('run as nobody that others are, with a token that nobody else can read', () => {
      const file = '/run/secrets/pman/tokens';
      for (const program of ['pman', 'pfioh'] as const) {
        expect(deployed.exec(program, 'id', '-u').trim()).toBe(String(user));
        expect(deployed.exec(program, 'stat', '-Lc', '%a', file).trim()).toBe('440');
      }
    });

    it('take a folder in, have a container of the cluster work on it, and give the result back', async () => {
      const local = { path: '/tmp/in' };
      const compress = { encoding: 'none', archive: 'zip', unpack: true, cleanup: true };
      const common = {
        remote: { key: DATA.key },
        specialHandling: { op: 'plugin', cleanup: true },
        transport: { mechanism: 'compress', compress },
      };
      deployed.exec('pman', 'sh', '-c', 'mkdir /tmp/in && echo from afar >/tmp/in/words');
      const pushed = deployed.ask('pfioh', { action: 'pushPath', meta: { local, ...common } });
      expect(JSON.stringify(pushed)).toContain(DATA.shareDir);
      const loud = 'sh -c "tr a-z A-Z </share/incoming/words | tee /share/outgoing/loud"';
      expect(job('shout', loud)).toMatchObject({ status: true });
      expect(await deployed.ended('shout')).toEqual({
        ...{ status: 'finishedSuccessfully', exitCode: 0, output: 'FROM AFAR\n' },
      });
      const out = { path: '/tmp/out', createDir: true };
      deployed.ask('pfioh', { action: 'pullPath', meta: { local: out, ...common } });
      expect(deployed.exec('pman', 'cat', '/tmp/out/loud')).toBe('FROM AFAR\n');
    });

    it('end a job by the signal that a kill names', async () => {
      job('killed', `sh -c "trap 'exit 9' TERM; touch /share/up; while true; do sleep 0.1; done"`);
      await eventually(() => deployed.exec('pfioh', 'ls', DATA.shareDir).includes('up\n'), {
        ...{ timeoutMs: 60_000, pollMs: 200, message: 'the job to run' },
      });
      // The cluster tells a little later that it runs; until then a kill takes it away.
      await eventually(() => deployed.result('killed').status === 'started', { timeoutMs: 60_000 });
      deployed.post('kill', { key: 'jid', value: 'killed', grace: 60 });
      expect(await deployed.ended('killed')).toMatchObject({ exitCode: 9 });
    });

    it('run a command in the pod of pman', async () => {
      deployed.post('run', { cmd: 'id -u', auid: 'tester', jid: 'here', threaded: true });
      expect((await deployed.ended('here')).output.trim()).toBe(String(user));
    });

    it('find a job again when the pod of pman was lost, and are not evicted meanwhile', async () => {
      job('long', 'sh -c "until [ -e /share/go ]; do sleep 0.2; done; exit 3"');
      const running = ['get', 'pods', '-l', 'job-origin=pman', '-o', 'name'];
      const phase = '--field-selector=status.phase=Running';
      const pod = await eventually(() => cluster.kubectl(...running, phase).trim(), {
        timeoutMs: 60_000,
      });
      const pmanPod = cluster
        .kubectl('get', 'pods', '-l', 'app.kubernetes.io/name=pman', '-o', 'name')
        .trim();
      for (const each of [pod, pmanPod]) {
        expect(() => evict(each.replace('pod/', ''))).toThrow('disruption budget');
      }
      cluster.kubectl('delete', pmanPod, '--grace-period=0', '--force');
      deployed.ready('pman');
      expect(deployed.result('long').status).toBe('started');
      deployed.exec('pfioh', 'touch', `${DATA.shareDir}/go`);
      expect(await deployed.ended('long')).toMatchObject({ exitCode: 3 });
    });

    it('may do in the namespace what an engine has to, and nothing else', () => {
      const may = (verb: string, resource: string) => {
        const who = `--as=system:serviceaccount:${cluster.namespace}:pman`;
        try {
          return cluster.kubectl('auth', 'can-i', verb, resource, who).trim();
        } catch {
          return 'no'; // as its exit code says
        }
      };
      expect([may('create', 'jobs.batch'), may('get', 'pods/log')]).toEqual(['yes', 'yes']);
      for (const [verb = '', resource = ''] of [
        ['create', 'pods'],
        ['get', 'secrets'],
        ['list', 'secrets'],
        ['update', 'roles'],
        ['list', 'nodes'],
      ])
        expect([verb, resource, may(verb, resource)]).toEqual([verb, resource, 'no']);
    });

    /** Asks as `kubectl drain` does. */
    function evict(pod: string): void {
      const path = `/api/v1/namespaces/${cluster.namespace}/pods/${pod}/eviction`;
      const file = join(tempDir(), 'eviction.json');
      const metadata = { name: pod, namespace: cluster.namespace };
      writeFileSync(file, JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata }));
      cluster.kubectl('create', '--raw', path, '-f', file);
    }
  });
});
