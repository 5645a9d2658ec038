import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { ended, newId, run, start, statusOf, stopAll } from '../helpers/containerJobs.ts';
import { dockerAt, engine, engineMissing, podman, podmanMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const SECONDS = { pollMs: 100, timeoutMs: 60_000 };

/** Jobs whose containers, or some of them, somebody else removes. */
describeWithEngine('what is removed by somebody else on Docker', engineMissing, () => {
  suite('docker', engine);
});
describeWithEngine('what is removed by somebody else on Podman', podmanMissing, () => {
  suite('docker', podman);
});
describeWithEngine('what is removed by somebody else on a swarm', engineMissing, () => {
  suite('swarm', engine);
});

function suite(env: 'docker' | 'swarm', address: string | undefined): void {
  jest.setTimeout(180_000);
  afterEach(stopAll);
  const docker = dockerAt(address);

  /** A job of two workers that run until `go`. */
  async function twoWorkers(server: TestServer) {
    const shareDir = tempDir();
    chmodSync(shareDir, 0o777);
    const jid = await run(server, {
      ...{ jid: newId(), manager: { env: { shareDir } }, meta: { number_of_workers: '2' } },
      cmd: 'sh -c "echo up; while [ ! -e /share/go ]; do sleep 0.1; done; echo well"',
    });
    await eventually(async () => {
      const { status, logs } = await statusOf(server, jid);
      return status === 'started' && logs === 'up\nup\n';
    }, SECONDS);
    return { jid, go: () => writeFileSync(join(shareDir, 'go'), '') };
  }

  it('is no success when it was one of two workers and the other did well', async () => {
    const server = await start(env, {}, address);
    const { jid, go } = await twoWorkers(server);
    if (env === 'swarm') docker('service', 'scale', '-d', `${jid}=1`);
    else docker('rm', '-f', `${jid}.2`);
    // A swarm ends the worker itself, and gives it its time.
    await eventually(() => countOf(jid) === 1, SECONDS);
    expect((await statusOf(server, jid)).status).toBe('started');
    go();
    const { status, logs, node } = await ended(server, jid);
    expect({ status, cause: node.cause }).toEqual({
      status: 'finishedWithError',
      cause: 'removed by somebody else: 1 of its 2 workers',
    });
    expect(logs).toMatch(/^up\nwell\n\[… the output could not be read: .* …\]\n$/);
    expect(await codesOf(server, jid)).toEqual(UNKNOWN);
  });

  it('has run, and nobody saw how it ended', async () => {
    const server = await start(env, {}, address);
    const { jid } = await twoWorkers(server);
    if (env === 'swarm') docker('service', 'rm', jid);
    else docker('rm', '-f', jid, `${jid}.2`);
    const { status, logs, node } = await ended(server, jid);
    expect({ status, cause: node.cause }).toEqual({
      status: 'finishedWithError',
      cause: 'removed by somebody else: the service',
    });
    // What was written may be there a moment longer.
    expect(logs).toMatch(/^(up\n|\[… the output could not be read: .* …\]\n)+$/);
    expect(await codesOf(server, jid)).toEqual(UNKNOWN);
  });

  it('is stopped as gently on one engine as on the other', async () => {
    if (env === 'swarm') return;
    const server = await start(env, {}, address);
    const jid = await run(server, {
      cmd: `sh -c "trap 'echo bye; exit 9' TERM; echo up; while true; do sleep 0.1; done"`,
    });
    await eventually(async () => (await statusOf(server, jid)).logs === 'up\n', SECONDS);
    expect(docker('inspect', '-f', '{{.Config.StopTimeout}}', jid).trim()).toBe('10');
    docker('stop', jid);
    const { logs, node } = await ended(server, jid);
    expect([logs, node.cause]).toEqual(['up\nbye\n', 'non-zero exit (9)']);
  });

  const countOf = (jid: string) => {
    const list = env === 'swarm' ? ['service', 'ps', '-q', jid] : ['ps', '-q', '-f', `name=${jid}`];
    return docker(...list)
      .split('\n')
      .filter(Boolean).length;
  };
}

/** Whoever runs it again for want of a start would run it twice. */
const UNKNOWN = {
  ...{ status: [null], result: [null], exitCode: null, code: 'lost', parts: 1, hasStart: true },
};

/** What each way of asking says of the end of a job. */
async function codesOf(server: TestServer, jid: string) {
  const asked = { key: 'jid', value: jid };
  const status = (await server.post('status', asked)).d_ret as {
    readonly '0.end': { readonly returncode: unknown };
  };
  const result = (await server.post('result', asked)).d_ret as {
    readonly '0': { readonly returncode: unknown };
  };
  const api = new ApiClient(server);
  const { body } = await api.send('GET', `/api/v2/jobs?jid=${jid}`);
  const [found] = (body as { readonly jobs: readonly { readonly id: string }[] }).jobs;
  const job = await api.job(found?.id ?? '');
  return {
    ...{ status: status['0.end'].returncode, result: result['0'].returncode },
    ...{ exitCode: job.exitCode, code: job.reason?.code },
    ...{ parts: job.parts.length, hasStart: job.startedAt !== null },
  };
}
