import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { ended, metaOf, run, start, statusOf, stopAll } from '../helpers/containerJobs.ts';
import { podmanMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { checkout } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** A Podman of its own: its service is stopped, and other tests use the common one. */
const folder = `/tmp/pman-podman-restart-${process.pid}`;
const engine = `unix://${folder}/podman.sock`;
const script = (verb: string) =>
  execFileSync('sh', [join(checkout, 'tests/engines/podman.sh'), verb, folder], { stdio: 'pipe' });

describeWithEngine("container jobs and a restart of Podman's service", podmanMissing, () => {
  beforeAll(() => {
    script('up');
  }, 120_000);
  afterEach(stopAll);
  afterAll(() => {
    script('down');
  }, 120_000);

  it('go on, and their ends are learned', async () => {
    const server = await start('docker', {}, engine);
    const share = tempDir();
    const waiting = (gate: string) =>
      run(server, {
        cmd: `sh -c "echo up; while [ ! -e /share/${gate} ]; do sleep 0.1; done; echo ${gate}; exit 4"`,
        manager: { env: { shareDir: share } },
      });
    const [during, after] = [await waiting('during'), await waiting('after')];
    for (const jid of [during, after]) {
      await eventually(
        async () => {
          const { status, logs } = await statusOf(server, jid);
          return status === 'started' && logs === 'up\n';
        },
        { timeoutMs: 30_000 },
      );
    }
    script('stop');
    writeFileSync(join(share, 'during'), '');
    await eventually(async () => (await statusOf(server, during)).note?.includes('no answer from'));
    expect((await statusOf(server, during)).status).toBe('started');
    const body = { payload: { action: 'run', meta: metaOf({ jid: 'refused', cmd: 'true' }) } };
    expect((await server.request('POST', '/', { body })).status).toBe(503);
    await server.kill9();
    await server.restart();
    script('up');
    expect(await ended(server, during)).toMatchObject({
      status: 'finishedWithError',
      logs: 'up\nduring\n',
    });
    writeFileSync(join(share, 'after'), '');
    expect(await ended(server, after)).toMatchObject({
      status: 'finishedWithError',
      logs: 'up\nafter\n',
    });
  });
});
