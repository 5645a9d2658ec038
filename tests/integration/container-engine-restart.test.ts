import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { command } from '../helpers/pman.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** An engine of its own: it is killed, and other tests use the common one. */
const folder = `/tmp/pman-engine-restart-${process.pid}`;
const engine = `unix://${folder}/docker.sock`;
const script = (verb: string) =>
  execFileSync('sh', [join(checkout, 'tests/engines/docker.sh'), verb, folder], { stdio: 'pipe' });
const killEngine = () => process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');

interface Job {
  readonly status: string;
  readonly logs: string;
  readonly note?: string;
  readonly cause?: string;
  readonly returncode: number | null | undefined;
}

describeWithEngine('container jobs and an engine that is killed', engineMissing, () => {
  jest.setTimeout(240_000);
  let server: TestServer;

  beforeAll(() => {
    script('up');
  }, 120_000);

  afterEach(async () => {
    await server.stop();
    server.endJobs();
  });

  afterAll(() => {
    script('down');
  }, 120_000);

  const runMeta = (jid: string, cmd: string, shareDir: string) => ({
    ...{ cmd, auid: 'user', jid, threaded: true },
    container: {
      target: { image: 'local/busybox:latest' },
      manager: { env: { shareDir } },
    },
  });

  async function submit(...job: Parameters<typeof runMeta>): Promise<void> {
    const reply = await server.post('run', runMeta(...job), { timeoutMs: 30_000 });
    expect(reply).toMatchObject({ status: true });
  }

  async function jobOf(jid: string): Promise<Job> {
    const reply = await server.post('status', { key: 'jid', value: jid }, { timeoutMs: 30_000 });
    const result = reply.d_ret as {
      readonly l_status: string[];
      readonly l_logs: string[];
      readonly note?: string;
      readonly '0.end': { readonly returncode: readonly (number | null)[] };
      readonly '0.container': { tree: Record<string, { container: { cause?: string } }> };
    };
    const [tree] = Object.values(result['0.container'].tree);
    const { note } = result;
    const cause = tree?.container.cause;
    return {
      status: result.l_status[0] ?? '',
      logs: result.l_logs[0] ?? '',
      returncode: result['0.end'].returncode[0],
      ...(note === undefined ? {} : { note }),
      ...(cause === undefined ? {} : { cause }),
    };
  }

  it('lose none: each ends, and what could not go on says why', async () => {
    server = await startServer({ env: { DOCKER_HOST: engine } });
    const share = tempDir();
    await submit('before', 'echo before', share);
    await eventually(async () => (await jobOf('before')).status === 'finishedSuccessfully', {
      timeoutMs: 60_000,
    });
    await submit('running', 'sh -c "echo up; sleep 600"', share);
    // The engine has its output a moment before it says that it runs.
    await eventually(
      async () => {
        const { status, logs } = await jobOf('running');
        return status === 'started' && logs === 'up\n';
      },
      { timeoutMs: 60_000 },
    );
    const many = Array.from({ length: 12 }, (_, i) => `many-${i}`);
    for (const jid of many) {
      await submit(jid, `sh -c "echo ${jid}; echo ${jid} >/share/${jid}"`, share);
    }
    killEngine();
    expect(await jobOf('before')).toEqual({
      status: 'finishedSuccessfully',
      logs: 'before\n',
      returncode: 0,
    });
    await eventually(async () => (await jobOf('running')).note?.includes('no answer from'));
    expect((await jobOf('running')).status).toBe('started');
    // A run that comes before the loss is noticed is accepted, and waits.
    await eventually(async () => {
      const jid = `many-${many.length}`;
      const meta = runMeta(jid, `sh -c "echo ${jid}"`, share);
      const { status } = await server.request('POST', '/', { body: command('run', meta) });
      if (status === 200) many.push(jid);
      return status === 503;
    });
    script('up');

    const isOver = async (jid: string) => /finished|undefined/.test((await jobOf(jid)).status);
    for (const jid of ['running', ...many]) {
      await eventually(() => isOver(jid), {
        timeoutMs: 120_000,
        pollMs: 200,
        message: `job ${jid} to end`,
      });
    }
    const running = await jobOf('running');
    expect(running).toMatchObject({ cause: expect.stringMatching(/.+/) });
    expect(running.logs).toMatch(/^up\n$|^\[… .* …\]\n$/);
    expect(running.returncode).not.toBe(0);
    for (const jid of many) {
      const job = await jobOf(jid);
      // The engine ends what ran when it was killed, and starts again what it does not know to have started.
      if (job.status !== 'finishedSuccessfully') expect(job.cause).toMatch(/.+/);
      else expect(job.logs).toMatch(new RegExp(`^(${jid}\n)+$`));
    }
    const words = await Promise.all(many.map(async (jid) => (await jobOf(jid)).status));
    expect(words.filter((word) => word === 'finishedSuccessfully').length).toBeGreaterThan(0);
    await submit('after', 'echo after', share);
    await eventually(async () => (await jobOf('after')).logs === 'after\n', {
      timeoutMs: 60_000,
    });
  });

  it('start when the engine is back, also after a restart of pman', async () => {
    const share = tempDir();
    const late = join(share, 'late');
    server = await startServer({ env: { DOCKER_HOST: engine } });
    await submit('late', 'echo late', late);
    killEngine();
    await server.kill9();
    await server.restart();
    expect((await jobOf('late')).status).toBe('notstarted');
    execFileSync('mkdir', [late]);
    script('up');
    await eventually(async () => (await jobOf('late')).status === 'finishedSuccessfully', {
      timeoutMs: 120_000,
      pollMs: 200,
    });
    expect((await jobOf('late')).logs).toBe('late\n');
  });
});
