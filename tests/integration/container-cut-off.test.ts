import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { ended, gone, run, services, start, stopAll } from '../helpers/containerJobs.ts';
import { docker, engineMissing, managerImage } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { EngineRelay, engineSocket } from '../helpers/engineRelay.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';

const manager = 'local/slow-swarm';
/** Our program in that image; makes a service after two seconds, and is in no hurry to end then. */
const SLOW = `node -e 'setTimeout(() => import("/app/dist/bin/swarm.js"), process.argv[2] === "-s" ? 2000 : 0); if (process.argv[2] === "-s") setTimeout(() => {}, 6000)' swarm`;

describeWithEngine(
  'a container job whose engine is lost while a manager is at it',
  engineMissing,
  () => {
    jest.setTimeout(120_000);
    let relay: EngineRelay | undefined;
    afterEach(async () => {
      await relay?.cut();
      await stopAll();
    });
    beforeAll(() => managerImage(manager), 120_000);

    it.each([
      ['the service was made meanwhile', 1],
      ['it was not yet', 0],
    ])('goes on when the engine is back, and runs once: %s', async (_, made) => {
      relay = await EngineRelay.to();
      const server = await start('swarm', {
        env: { DOCKER_HOST: relay.address },
        flags: ['--dockerSocket', engineSocket],
      });
      const share = tempDir();
      writeFileSync(join(share, 'runs'), '');
      const jid = await run(server, {
        cmd: 'sh -c "echo ran >>/share/runs; echo out"',
        manager: { image: manager, app: SLOW, env: { shareDir: share } },
      });
      const managers = () => docker('ps', '-q', '--filter', `ancestor=${manager}`);
      await eventually(() => managers() !== '');
      await relay.cut();
      if (made === 1) {
        await eventually(() => services().includes(jid));
      }
      await relay.restore();
      expect(await ended(server, jid, 40_000)).toMatchObject({
        status: 'finishedSuccessfully',
        logs: 'out\r\n', // that manager gives a terminal
      });
      await gone(jid);
      expect(readFileSync(join(share, 'runs'), 'utf8')).toBe('ran\n');
      await eventually(() => managers() === '', {
        message: 'no manager container to be left',
      });
    });
  },
);
