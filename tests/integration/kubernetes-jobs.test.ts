import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import {
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

jest.setTimeout(180_000);

describeWithEngine('jobs of a Kubernetes cluster', kubernetesMissing, () => {
  let cluster: KubernetesUnderTest;
  let server: TestServer;
  const run = (job: Parameters<typeof runInCluster>[2]) => runInCluster(server, cluster, job);
  const share = () => {
    const folder = tempDir();
    chmodSync(folder, 0o777);
    return folder;
  };
  const jobs = () =>
    cluster.kubectl('get', 'jobs', '-o', 'jsonpath={.items[*].metadata.name}').split(' ');

  beforeAll(async () => {
    cluster = await KubernetesUnderTest.open();
  });
  afterAll(() => cluster.close());
  afterEach(async () => {
    if (server.isRunning) await server.stop();
  });
  const start = async (flags: readonly string[] = []) => {
    server = await startPman(cluster, { flags: ['--startLimit', '5', ...flags] });
  };

  it('run, end, and are told of in the form of the original', async () => {
    await start();
    const jid = await run({ cmd: 'sh -c "echo hello; echo err >&2"' });
    const end = await clusterEnd(server, jid);
    expect(end).toMatchObject({ status: 'finishedSuccessfully', returncode: [0] });
    const status = await clusterStatus(server, jid);
    expect(status.l_status).toEqual(['finished']);
    expect(status.l_logs).toMatch(new RegExp(`^${jid}-[a-z0-9]+:(hello\nerr|err\nhello)\n$`));
    expect(status.description).toMatch(/^\{'Message': 'finished', 'State': 'complete', 'Reason': /);
    const reply = await server.post('status', { key: 'jid', value: jid });
    expect(reply.status).toBe("['finished']");
    const listed = (await server.request('GET', '/api/v1')).json() as { readonly GET: object };
    const [root] = Object.keys(listed.GET);
    const job = (await server.request('GET', `/api/v2/jobs/${root}`)).json();
    const { startedAt, endedAt } = job as { readonly startedAt: string; readonly endedAt: string };
    expect(Date.parse(endedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
    expect(Date.parse(endedAt)).toBeLessThanOrEqual(Date.now());
    await eventually(() => !jobs().includes(jid), { message: 'the Job to be removed' });
  });

  it('that nobody has asked for are not found, in the words of the original', async () => {
    await start();
    const value = 'nosuch';
    expect(await server.post('status', { key: 'jid', value })).toMatchObject({
      status: 'Not Found',
      d_ret: { description: 'Not Found', l_logs: 'Not Found', l_status: 'Not Found' },
    });
    expect(await server.post('delete', { key: 'jid', value })).toMatchObject({
      status: 'Not Found',
      d_ret: { action: 'Delete Job', job_id: '', status: 'Not Found' },
    });
  });

  it('keep a name that Kubernetes does not take, and a user that no label could hold', async () => {
    await start();
    const jid = 'Job_1 of ünïcode: a=b';
    await run({ jid, cmd: 'sh -c "sleep 600"', meta: { auid: 'x y/"z"' } });
    const found = await eventually(() => {
      const { items } = JSON.parse(cluster.kubectl('get', 'jobs', '-o', 'json'));
      return items.find(
        ({ metadata }: { metadata: { annotations: Record<string, string> } }) =>
          metadata.annotations['pman.fnndsc.org/jid'] === jid,
      );
    });
    expect(found.metadata.name).toMatch(/^job-1-of-n-code-a-b-[0-9a-f]{12}$/);
    expect(found.metadata.annotations['pman.fnndsc.org/auid']).toBe('x y/"z"');
    expect(found.metadata.labels['job-origin']).toBe('pman');
    expect((await server.post('delete', { key: 'jid', value: jid })).status).toBe(
      'Job deleted successfully',
    );
    expect((await server.post('status', { key: 'jid', value: jid })).status).toBe('Not Found');
  });

  it('of several workers each have an index, their variables and limits', async () => {
    await start();
    const jid = await run({
      cmd: `sh -c 'echo "$JOB_COMPLETION_INDEX $NUMBER_OF_WORKERS $CPU_LIMIT $MEMORY_LIMIT $WHO"'`,
      target: { env: { WHO: '$(CPU_LIMIT)' } },
      meta: { number_of_workers: '3', cpu_limit: '600', memory_limit: '64' },
    });
    const end = await clusterEnd(server, jid);
    expect(end.status).toBe('finishedSuccessfully');
    expect(end.stdout[0]?.split('\n').sort()).toEqual([
      '',
      ...[0, 1, 2].map((index) => `${index} 3 600m 64Mi $(CPU_LIMIT)`),
    ]);
    const { l_logs } = await clusterStatus(server, jid);
    expect(l_logs.match(new RegExp(`${jid}-\\d-[a-z0-9]+:`, 'g'))).toHaveLength(3);
  });

  it('can be followed while they run, and killed with their last words', async () => {
    await start();
    const cmd = `sh -c "trap 'echo bye; exit 9' TERM; echo up; while true; do sleep 0.1; done"`;
    const jid = await run({ cmd });
    await hasWritten(server, jid, 'up');
    expect((await clusterStatus(server, jid)).l_status).toEqual(['started']);
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/_-1/stdout?follow=1`);
    const followed = answer.text();
    const reply = await server.post('kill', { key: 'jid', value: jid, auid: 'me' });
    expect(reply.status).toBe(true);
    expect(await clusterEnd(server, jid)).toMatchObject({
      ...{ status: 'finishedWithError', returncode: [9], stdout: ['up\nbye\n'] },
      cause: ['ended by a kill request of me'],
    });
    expect(await followed).toBe('up\nbye\n');
  });

  it('that wait for a node say why, and end at once by a kill', async () => {
    await start(['--nodeSelector', 'nosuch=label']);
    const jid = await run({ cmd: 'true' });
    expect(await waitsFor(server, jid)).toMatch(/no node can take it.*Unschedulable.*node/);
    await server.post('kill', { key: 'jid', value: jid });
    const end = await clusterEnd(server, jid);
    expect(end).toMatchObject({ status: 'finishedWithError', returncode: [null] });
    await eventually(() => !jobs().includes(jid), { message: 'the Job to be removed' });
  });

  it.each([
    ['a command that is not there', { cmd: 'nosuchprogram' }, /nosuchprogram/, null],
    [
      'an image that is not there',
      { cmd: 'true', image: 'local/nosuch:1' },
      /local\/nosuch:1/,
      null,
    ],
    ['no name of an image', { cmd: 'true', image: 'UPPER case' }, /UPPER case/, null],
    ['an exit code', { cmd: 'sh -c "exit 42"' }, /42/, 42],
    [
      'too much memory',
      { cmd: 'sh -c "sleep 0.5; tail /dev/zero"', meta: { memory_limit: '16Mi' } },
      /^the container ran out of memory: its limit is 16Mi$/,
      137,
    ],
    [
      'too much memory of a child',
      {
        cmd: 'sh -c "sleep 0.5; tail /dev/zero; echo gone on; exit 5"',
        meta: { memory_limit: '16Mi' },
      },
      /^a process of the container ran out of memory: .*ended with 5$/,
      5,
    ],
  ])('that end by %s say so', async (_, job, cause, code) => {
    await start();
    const end = await clusterEnd(server, await run(job));
    expect(end).toMatchObject({ status: 'finishedWithError', returncode: [code] });
    expect(end.cause[0]).toMatch(cause);
  });

  it('whose image must not be fetched, and is not there, end at once', async () => {
    await start(['--imagePullPolicy', 'Never', '--startLimit', '600']);
    const end = await clusterEnd(server, await run({ cmd: 'true', image: 'local/nosuch:1' }));
    expect(end).toMatchObject({ status: 'finishedWithError', returncode: [null] });
    expect(end.cause[0]).toMatch(/local\/nosuch:1 .*ErrImageNeverPull/);
  });

  it("end by the cluster's own limit, with what they have written", async () => {
    await start(['--jobDeadline', '3']);
    const end = await clusterEnd(server, await run({ cmd: 'sh -c "echo up; sleep 600"' }));
    expect(end).toMatchObject({ status: 'finishedWithError', stdout: ['up\n'] });
    expect(end.cause[0]).toMatch(/^time limit 3 s: .*DeadlineExceeded/);
  });

  it('end by the time limit of their request', async () => {
    await start();
    const jid = await run({ cmd: 'sh -c "echo up; sleep 600"', meta: { timeout: 2 } });
    const end = await clusterEnd(server, jid);
    expect(end).toMatchObject({ status: 'finishedWithError', cause: ['time limit 2 s'] });
  });

  it('that somebody else deletes end, and nobody knows how', async () => {
    await start();
    const jid = await run({ cmd: 'sh -c "echo up; sleep 600"' });
    await hasWritten(server, jid, 'up');
    cluster.kubectl('delete', 'job', jid, '--wait=false');
    const end = await clusterEnd(server, jid);
    expect(end.returncode).toEqual([null]);
    expect(end.cause[0]).toBe('removed by somebody else: the service');
  });

  it('whose pod somebody else evicts or deletes end, and are not run again', async () => {
    await start();
    const folder = share();
    const cmd = 'sh -c "echo run >>/share/runs; echo up; sleep 600"';
    const jid = await run({ cmd, shareDir: folder });
    await hasWritten(server, jid, 'up');
    cluster.kubectl('delete', 'pod', '-l', `job-name=${jid}`, '--wait=false');
    const end = await clusterEnd(server, jid);
    expect(end.status).not.toBe('finishedSuccessfully');
    expect(end.cause[0]).not.toBe('');
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n');
  });

  it('with a key run once, however often they are asked for', async () => {
    await start();
    const folder = share();
    const job = {
      jid: 'keyed',
      cmd: 'sh -c "echo run >>/share/runs"',
      shareDir: folder,
      meta: { key: 'the key' },
    };
    const answers = await Promise.all(
      [1, 2, 3].map(() => act(server, 'run', clusterMeta(cluster, job))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await clusterEnd(server, 'keyed');
    await run(job);
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n');
  });

  it('are refused in words when a quantity is too small, a user has no number, or a quote is open', async () => {
    await start();
    const refused = async (job: object) => {
      const answer = await act(
        server,
        'run',
        clusterMeta(cluster, { jid: 'bad', cmd: 'true', ...job }),
      );
      return [answer.status, replyOf(answer).error?.message];
    };
    expect(await refused({ meta: { memory_limit: '1Mi' } })).toEqual([
      400,
      expect.stringContaining('less than 6Mi'),
    ]);
    expect(await refused({ target: { user: 'root' } })).toEqual([
      400,
      expect.stringContaining('is no number'),
    ]);
    expect(await refused({ cmd: `echo "a` })).toEqual([400, expect.stringContaining('quote')]);
  });

  it('share a folder of the node, and get one of their own else', async () => {
    await start();
    const folder = share();
    writeFileSync(join(folder, 'in'), 'data');
    const jid = await run({
      cmd: 'sh -c "cat /share/in; cp /share/in /share/out"',
      shareDir: folder,
    });
    expect(await clusterEnd(server, jid)).toMatchObject({ returncode: [0], stdout: ['data'] });
    expect(existsSync(join(folder, 'out'))).toBe(true);
    const other = await run({ cmd: 'sh -c "echo x >/share/x; ls /share; id -u"' });
    expect(await clusterEnd(server, other)).toMatchObject({ stdout: ['x\n1000\n'] });
  });
});
