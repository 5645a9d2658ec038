import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { ended, run, start, stopAll } from '../helpers/containerJobs.ts';
import { engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { checkout } from '../helpers/startServer.ts';

const folder = `/tmp/pman-unreadable-log-${process.pid}`;
const script = (verb: string) =>
  execFileSync('sh', [join(checkout, 'tests/engines/docker.sh'), verb, folder], { stdio: 'pipe' });

describeWithEngine('jobs on an engine whose logs cannot be read', engineMissing, () => {
  beforeAll(() => {
    mkdirSync(folder);
    const settings = { 'node-generic-resources': ['NVIDIA-GPU=gpu-0'], 'log-driver': 'none' };
    writeFileSync(join(folder, 'daemon.json'), JSON.stringify(settings));
    script('up');
  }, 240_000);
  afterEach(stopAll);
  afterAll(() => {
    script('down');
  }, 240_000);

  it.each(['swarm', 'docker'] as const)(
    'end with their codes, by a kill and by their time limit all the same: %s',
    async (env) => {
      const server = await start(env, {}, `unix://${folder}/docker.sock`);
      const failed = await run(server, { cmd: 'sh -c "echo lost; exit 3"' });
      expect(await ended(server, failed)).toMatchObject({ status: 'finishedWithError' });
      const result = await server.post('result', { key: 'jid', value: failed });
      expect(result.d_ret).toMatchObject({ 0: { returncode: [3] } });
      const late = await run(server, { cmd: 'sleep 600', meta: { timeout: 1 } });
      const { status, node } = await ended(server, late);
      expect({ status, cause: node.cause }).toEqual({
        ...{ status: 'finishedWithError', cause: 'time limit 1 s' },
      });
      const killed = await run(server, { cmd: 'sleep 600' });
      const named = { key: 'jid', value: killed };
      expect((await server.post('kill', { ...named, grace: 0 })).status).toBe(true);
      expect(await ended(server, killed)).toMatchObject({ status: 'finishedWithError' });
      expect((await server.post('delete', named)).status).toBe(true);
    },
    120_000,
  );
});
