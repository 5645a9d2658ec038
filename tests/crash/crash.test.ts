import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { signal } from '../helpers/processes.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { checkDisk, checkEnded, checkKnown } from './checks.ts';
import { Ledger } from './ledger.ts';
import { putUnderLoad } from './load.ts';
import { Random } from './random.ts';

/** How often a server is killed, in all. */
const rounds = Number(process.env.PMAN_CRASH_ROUNDS ?? 10);
/** Repeats the choices of an earlier run, though not its times. */
const firstSeed = Number(process.env.PMAN_CRASH_SEED ?? Date.now() % 1_000_000);
/** How many rounds one database goes through. */
const ROUNDS_OF_ONE = 10;
const AT_ONCE = 2;

type Disaster = (server: TestServer, ledger: Ledger) => Promise<unknown>;

const disasters: ReadonlyArray<readonly [weight: number, disaster: Disaster]> = [
  [14, (server) => server.kill9()],
  [2, killRunner],
  [
    2,
    (server, ledger) => {
      const killed = server.kill9();
      return killRunner(server, ledger).then(() => killed);
    },
  ],
  [2, (server) => server.stop(5000)],
];

async function killRunner(server: TestServer, ledger: Ledger): Promise<void> {
  ledger.runnerKilled();
  const runners = server.children().filter(({ command }) => command.includes('runnerProcess'));
  for (const { pid } of runners) signal(pid, 'SIGKILL');
}

/** One database through many crashes. */
async function live(seed: number, count: number): Promise<readonly string[]> {
  const random = new Random(seed);
  const ledger = new Ledger();
  // With few at once most jobs wait, and stand in the file that they share. Some databases ask the disk to confirm.
  const maxJobs = random.pick(['1', '2', '6']) ?? '6';
  const fsync = random.between(0, 3) < 1 ? ['--fsync'] : [];
  const flags = ['--maxJobs', maxJobs, ...fsync, '--verbosity', '1'];
  const server = await startServer({ flags });
  const marks = join(server.folders.root, 'marks');
  mkdirSync(marks);
  const place = { server, ledger, random, marks };
  for (let round = 0; round < count && ledger.faults.length === 0; round += 1) {
    const ending = new AbortController();
    const load = putUnderLoad({ ...place, name: `${seed}-${round}` }, 4, ending.signal);
    await sleep(random.between(0, 1) * random.between(0, 1200));
    await random.weighted(disasters)(server, ledger);
    // What was begun while the runner died may have met the old one or the new.
    ending.abort();
    if (server.isRunning) await sleep(random.between(0, 300));
    else {
      await load;
      await server.restart();
    }
    await load;
    await checkKnown(place);
  }
  if (ledger.faults.length === 0) {
    await checkEnded(place);
    await checkDisk(place);
    await server.stop();
  } else {
    ledger.faults.push(server.output.stderr.slice(-2000));
    await server.kill9();
  }
  await eventually(() => server.children().length === 0).catch(() => {
    const left = server.children().map(({ command }) => command);
    ledger.faults.push(`still running: ${left.join(', ')}`);
  });
  return ledger.faults.map((fault) => `seed ${seed}: ${fault}`);
}

describe('a server that is killed', () => {
  const lives = Math.max(AT_ONCE, Math.ceil(rounds / ROUNDS_OF_ONE));
  it(
    `keeps what it has acknowledged and what it has told (${rounds} rounds)`,
    async () => {
      const faults: string[] = [];
      let next = 0;
      const lane = async () => {
        while (next < lives) {
          const mine = next++;
          const count = Math.ceil((rounds - mine) / lives);
          if (count > 0) faults.push(...(await live(firstSeed + mine, count)));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      expect(faults).toEqual([]);
    },
    60_000 + rounds * 10_000,
  );
});
