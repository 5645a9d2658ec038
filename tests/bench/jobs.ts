import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { freshGround } from './ground.ts';
import { runJobs } from './jobClients.ts';
import { processorMs, processWith } from './processFigures.ts';
import { machine, median, startPman } from './programs.ts';
import { row } from './row.ts';

/**
 * Jobs a second: `true`, 8 at once, from the HTTP request to the durable end record, submitted by 16 clients, beside a bare
 * Node loop that spawns `/bin/sh -c true`, and `xargs -P 8 sh -c true`, in one run. Before anything is counted, the server
 * runs a tenth as many: a new one takes a third more for a job, until V8 has compiled what it needs.
 * Usage: npm run bench:jobs [-- <jobs> [<flags of pman>]]
 */
const AT_ONCE = 8;
const CLIENTS = 16;
const TURNS = 3;
/** The unit of the times of ended children in /proc. */
const TICK_MS = 10;

/** Who takes processor time for a job. The clients are this process: they share the processors with the others. */
const PARTIES = ['server', 'runner', 'copier', 'shells', 'clients'] as const;
type Times = Readonly<Record<(typeof PARTIES)[number], number>>;

interface Round {
  readonly ours: number;
  readonly loop: number;
  readonly xargs: number;
  /** Processor time a job, in ms. */
  readonly times: Times;
}

const [count = '10000', ...flags] = process.argv.slice(2);
const jobs = Number(count);

/** Jobs a second of a piece of work that does all of them. */
async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return jobs / ((performance.now() - startedAt) / 1000);
}

const spawnLoop = () =>
  perSecond(async () => {
    let left = jobs;
    const worker = async () => {
      while (left-- > 0) await once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore' }), 'exit');
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  });

const xargs = () =>
  perSecond(async () => {
    const child = spawn('xargs', ['-P', String(AT_ONCE), '-n', '1', 'sh', '-c', 'true'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin.end(Array.from({ length: jobs }, (_, i) => i).join('\n'));
    await once(child, 'exit');
  });

/** Processor time of the ended children of a process, in ms; from proc(5). */
function childrenMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

/** What our jobs have taken so far of the processors: of the pman whose folder this is. */
function timesOf(server: number, folder: string): () => Times {
  const runner = processWith('runnerProcess', folder);
  const copier = processWith('outputCopierProcess', folder);
  return () => {
    const { user, system } = process.cpuUsage();
    return {
      ...{ server: processorMs(server), runner: processorMs(runner), copier: processorMs(copier) },
      ...{ shells: childrenMs(runner), clients: (user + system) / 1000 },
    };
  };
}

const ground = freshGround('pman-bench');
const rounds: Round[] = [];
for (let turn = 0; turn < TURNS; turn += 1) {
  const folder = ground.plot(`turn-${turn}`);
  const pman = await startPman(['--maxJobs', String(AT_ONCE), ...flags], folder);
  // Starts the runner, too.
  await runJobs(pman.port, Math.ceil(jobs / 10), { clients: CLIENTS, name: 'warm' });
  const times = timesOf(pman.process.pid ?? 0, folder);
  const before = times();
  const ours = await perSecond(() =>
    runJobs(pman.port, jobs, { clients: CLIENTS, name: `bench-${turn}` }),
  );
  const after = times();
  await pman.stop();
  const each = PARTIES.map((who) => [who, (after[who] - before[who]) / jobs] as const);
  const loop = await spawnLoop();
  rounds.push({ ours, loop, xargs: await xargs(), times: Object.fromEntries(each) as Times });
}
rmSync(ground.folder, { recursive: true });
const middle = (of: (round: Round) => number) => median(rounds.map(of));
const ours = middle((round) => round.ours);
const loop = middle((round) => round.loop);
const best = middle((round) => round.xargs);
const all = middle(({ times }) => PARTIES.reduce((sum, who) => sum + times[who], 0));
const parties = PARTIES.map((who) => `${who} ${middle(({ times }) => times[who]).toFixed(2)} ms`);
const processor = `${parties.join(', ')}, all ${all.toFixed(2)} ms`;
console.log(machine());
console.log(
  `${jobs} jobs, ${AT_ONCE} at once, ${CLIENTS} clients: pman ${ours.toFixed(0)}/s, bare spawn loop ${loop.toFixed(0)}/s (ratio ${(ours / loop).toFixed(2)}), xargs ${best.toFixed(0)}/s (ratio ${(ours / best).toFixed(2)})`,
);
row({
  what: `${jobs} jobs to their durable end, ${AT_ONCE} at once, ${CLIENTS} clients`,
  limit: `xargs, ${best.toFixed(0)}/s`,
  goal: '0.65',
  measured: `${(ours / best).toFixed(2)}, ${ours.toFixed(0)}/s; ${(ours / loop).toFixed(2)} of a spawn loop`,
  processor: `${processor} a job`,
});
