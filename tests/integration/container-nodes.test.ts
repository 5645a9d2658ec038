import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { ended, run, start as startWith, statusOf, stopAll } from '../helpers/containerJobs.ts';
import { dockerAt, engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { checkout, type TestServer } from '../helpers/startServer.ts';

/** A swarm of two nodes: pman asks the first, the second runs what there is to run. */
const [managerDir, workerDir] = ['a', 'b'].map((name) => `/tmp/pman-nodes-${process.pid}-${name}`);
const manager = `unix://${managerDir}/docker.sock`;
const script = (...args: readonly (string | undefined)[]) => {
  const given = args.filter((arg) => arg !== undefined);
  execFileSync('sh', [join(checkout, 'tests/engines/docker.sh'), ...given], { stdio: 'pipe' });
};
const docker = (...args: readonly string[]) => dockerAt(manager)(...args);

describeWithEngine('container jobs on another node', engineMissing, () => {
  jest.setTimeout(240_000);

  beforeAll(() => {
    script('up', managerDir);
    script('join', workerDir, managerDir);
    const self = docker('node', 'inspect', 'self', '--format', '{{.ID}}').trim();
    docker('node', 'update', '--availability', 'drain', self);
  }, 120_000);
  afterEach(stopAll);
  afterAll(() => {
    script('down', workerDir);
    script('down', managerDir);
  }, 120_000);

  const start = () => startWith('swarm', {}, manager);
  const workerNode = () => docker('node', 'ls', '-q', '--filter', 'role=worker').trim();
  async function started(server: TestServer): Promise<string> {
    const jid = await run(server, { cmd: 'sh -c "echo up; sleep 600"' });
    // What it writes may be there before the manager of the swarm hears that it runs.
    const isUp = async () => {
      const { status, logs } = await statusOf(server, jid);
      return status === 'started' && logs === 'up\n';
    };
    await eventually(isUp, { timeoutMs: 30_000 });
    return jid;
  }

  it('have whole outputs, a cause, and an end', async () => {
    const server = await start();
    const many = await run(server, { cmd: 'seq 1 20000', meta: { number_of_workers: 2 } });
    const seen = await ended(server, many);
    expect(seen.status).toBe('finishedSuccessfully');
    const lines = seen.logs.split('\n');
    expect(lines).toHaveLength(40_001);
    expect([lines[0], lines[19_999], lines[20_000], lines[39_999]]).toEqual([
      '1',
      '20000',
      '1',
      '20000',
    ]);
    const greedy = await run(server, {
      cmd: 'sh -c "echo before; tail /dev/zero"',
      meta: { memory_limit: '16Mi' },
    });
    expect(await ended(server, greedy)).toMatchObject({
      status: 'finishedWithError',
      logs: 'before\n',
      node: { cause: expect.stringContaining('out of memory') },
    });
    const killed = await started(server);
    await server.post('kill', { key: 'jid', value: killed });
    expect(await ended(server, killed)).toMatchObject({
      status: 'finishedWithError',
      logs: 'up\n',
      node: { cause: 'ended by a kill request' },
    });
  });

  it('tell that their node is drained', async () => {
    const server = await start();
    const jid = await started(server);
    const node = workerNode();
    docker('node', 'update', '--availability', 'drain', node);
    try {
      expect(await ended(server, jid)).toMatchObject({
        status: 'finishedWithError',
        logs: 'up\n',
        node: { cause: expect.stringContaining('the engine shut the container down') },
      });
    } finally {
      docker('node', 'update', '--availability', 'active', node);
    }
  });

  it('tell that their node is lost, and how they have ended when it is back', async () => {
    const server = await start();
    const jid = await started(server);
    process.kill(Number(readFileSync(`${workerDir}/pid`, 'utf8')), 'SIGKILL');
    const lost = await eventually(
      async () => {
        const status = await statusOf(server, jid);
        return /^its node is lost: ".+"/.test(String(status.node.cause)) && status;
      },
      { timeoutMs: 120_000, pollMs: 500, message: 'the loss of the node to be told' },
    );
    expect(lost.status).toBe('started');
    expect(lost.logs).not.toContain('Error grabbing logs');
    expect(lost.logs).toMatch(/could not be fetched: .*is not available/);
    script('join', workerDir, managerDir);
    const { status, node } = await ended(server, jid, 120_000);
    expect(status).not.toBe('finishedSuccessfully');
    expect(node.cause).toMatch(/^(?!.*is lost).+/);
  });
});
