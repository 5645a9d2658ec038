import { homedir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '../../lib/log.ts';
import { openJobEngine } from '../../swarm/openJobEngine.ts';
import { readShown } from '../../swarm/service/shownTask.ts';
import { CallCounter } from '../helpers/callCounter.ts';
import { ContainerPman } from '../helpers/containerPman.ts';
import { engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { engineSocket } from '../helpers/engineRelay.ts';
import { eventually } from '../helpers/eventually.ts';

jest.setTimeout(300_000);

/** The calls that name one container or service, or make one: so many a job, and no others. */
const EACH = {
  swarm: { 'POST /services/create': 1, 'GET /containers/ONE/logs': 1, 'DELETE /services/ONE': 1 },
  docker: {
    'POST /containers/create': 1,
    'POST /containers/ONE/start': 1,
    'GET /containers/ONE/logs': 1,
    'DELETE /containers/ONE': 1,
  },
} as const;
/** A plain container is looked at when it is first seen, and when its state is another one. */
const INSPECT = 'GET /containers/ONE/json';
/** Looks at all are shared: by the changes that come at the same time, and by time. */
const SHARED = /^GET \/(services|tasks|containers\/json|events|_ping)$/;
const SHARED_A_JOB = 6;

type Counts = Readonly<Record<string, number>>;
const sum = (counts: Counts, which: (kind: string) => boolean) =>
  Object.entries(counts).reduce((all, [kind, count]) => (which(kind) ? all + count : all), 0);

describeWithEngine('what container jobs cost their engine', engineMissing, () => {
  describe.each(['swarm', 'docker'] as const)('%s', (containerEnv) => {
    let counter: CallCounter;
    let pman: ContainerPman;
    beforeAll(async () => {
      counter = await CallCounter.to(engineSocket);
      const env = { ...process.env, DOCKER_HOST: counter.address };
      const open = (instance: string) =>
        openJobEngine({
          config: { containerEnv, dockerSocket: engineSocket, manager: 'auto' },
          settings: { env, home: homedir() },
          instance,
          log: silentLogger(),
        });
      pman = new ContainerPman(open, readShown, 'local/busybox:latest');
    });
    afterAll(async () => {
      await pman.close();
      await counter.close();
    });

    /** The calls of so many jobs at once, from their submission until nothing is left of them. */
    async function callsOf(jobs: number): Promise<Counts> {
      counter.reset();
      const numbers = Array.from({ length: jobs }, (_, i) => i);
      const roots = await Promise.all(numbers.map((i) => pman.submit(`echo ${i}`)));
      const ends = await Promise.all(roots.map((root) => pman.end(root, 200_000)));
      expect(ends.map(({ output }) => output)).toEqual(numbers.map((i) => `${i}\n`));
      const removal = containerEnv === 'swarm' ? 'DELETE /services/ONE' : 'DELETE /containers/ONE';
      await eventually(() => counter.counts[removal] === jobs, { timeoutMs: 60_000 });
      return counter.counts;
    }

    it.each([1, 3, 12])('%i at once cost as many calls each as one', async (jobs) => {
      const counts = await callsOf(jobs);
      const each = Object.entries(counts).filter(
        ([kind]) => kind !== INSPECT && !SHARED.test(kind),
      );
      expect(Object.fromEntries(each)).toEqual(
        Object.fromEntries(Object.entries(EACH[containerEnv]).map(([kind, n]) => [kind, n * jobs])),
      );
      const inspections = sum(counts, (kind) => kind === INSPECT);
      expect(inspections).toBeLessThanOrEqual(containerEnv === 'docker' ? 2 * jobs : 0);
      expect(sum(counts, (kind) => SHARED.test(kind))).toBeLessThanOrEqual(
        12 + SHARED_A_JOB * jobs,
      );
    });
  });
});
