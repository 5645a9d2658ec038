import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { ended, metaOf, newId, run, start, statusOf, stopAll } from '../helpers/containerJobs.ts';
import { docker, engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { EngineRelay } from '../helpers/engineRelay.ts';
import { eventually } from '../helpers/eventually.ts';
import { within } from '../helpers/patience.ts';
import { command, replyOf, resultsOf } from '../helpers/pman.ts';
import { builtProgram, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** 8 s of silence are enough, 10 for who comes second; the rest is for a machine that is busy. */
const SOON_MS = 16_000;

jest.setTimeout(120_000);

let relay: EngineRelay | undefined;

async function endAll(): Promise<void> {
  await relay?.cut();
  await stopAll();
}

const submit = (server: TestServer, meta: object) =>
  server.request('POST', '/', { body: command('run', meta), timeoutMs: 2 * SOON_MS });

const at = (address: string) => start('swarm', { env: { DOCKER_HOST: address } });

describe('container jobs and an engine that is never heard', () => {
  afterEach(endAll);

  it('are refused with 503 before a client gives up, whether or not a connection is made', async () => {
    relay = await EngineRelay.to('/nonexistent');
    const { address } = relay;
    relay.silence();
    const server = await at(address);
    // The kernel takes in the first connections for the stopped program; those behind get no answer at all.
    const jids = ['a', 'b', 'c', 'd', 'e'];
    const swarm = new Child([...builtProgram('swarm'), '--state', 'a'], {
      cwd: tempDir(),
      env: { ...process.env, DOCKER_HOST: address },
    });
    const begin = Date.now();
    const answers = await Promise.all(
      jids.map((jid) => submit(server, metaOf({ jid, cmd: 'true' }))),
    );
    expect(Date.now() - begin).toBeLessThan(within(SOON_MS));
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(replyOf(answer).error).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(`no answer from ${address}`),
      });
    }
    expect((await server.post('get', { path: '/' })).d_ret).toEqual({});
    expect(await swarm.within(SOON_MS)).toMatchObject({ code: 1 });
    expect(swarm.output.stderr).toMatch(/no answer from .* no sign of life/);
  });
});

describeWithEngine('container jobs and an engine that falls silent', engineMissing, () => {
  afterEach(endAll);

  it('are answered for in time, and none is lost', async () => {
    relay = await EngineRelay.to();
    const { address } = relay;
    const server = await at(address);
    const share = tempDir();
    const running = await run(server, {
      cmd: 'sh -c "echo up; while [ ! -e /share/go ]; do sleep 0.1; done; echo done"',
      manager: { env: { shareDir: share } },
    });
    await eventually(async () => (await statusOf(server, running)).status === 'started', {
      timeoutMs: 30_000,
    });
    relay.silence();
    docker(
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      `${share}:/share`,
      'local/busybox',
      'touch',
      '/share/go',
    );
    let begin = Date.now();
    const { status, note } = await statusOf(server, running);
    expect(Date.now() - begin).toBeLessThan(within(SOON_MS));
    expect({ status, note }).toEqual({
      status: 'started',
      note: expect.stringContaining('what was known last'),
    });

    const jid = newId();
    const once = metaOf({ jid, cmd: 'echo once', meta: { key: jid } });
    // While it is believed that the engine is there, a job is accepted and waits; then it is refused.
    await eventually(
      async () => (await submit(server, metaOf({ jid: newId(), cmd: 'true' }))).status === 503,
      {
        timeoutMs: 40_000,
      },
    );
    begin = Date.now();
    expect((await submit(server, once)).status).toBe(503);
    expect(Date.now() - begin).toBeLessThan(within(SOON_MS));
    expect(await resultsOf(server, jid)).toEqual([]);

    relay.goOn();
    expect(await ended(server, running)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'up\ndone\n',
    });
    for (let i = 0; i < 2; i += 1) expect((await submit(server, once)).status).toBe(200);
    expect(await ended(server, jid)).toMatchObject({ status: 'finishedSuccessfully' });
    expect(await resultsOf(server, jid)).toHaveLength(1);
    const all = await server.post('status', { key: 'auid', value: 'user' });
    await eventually(
      async () => {
        const { d_ret } = await server.post('status', { key: 'auid', value: 'user' });
        return (d_ret as { l_status: string[] }).l_status.every(
          (word) => word === 'finishedSuccessfully',
        );
      },
      { timeoutMs: 60_000, message: `all of ${JSON.stringify(all)} to end` },
    );
  });
});
