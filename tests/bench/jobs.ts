import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { systemErrorCode } from '../../lib/errors.ts';
import { freshGround } from './ground.ts';
import { median, startPman } from './programs.ts';
import { row } from './row.ts';

/**
 * Jobs a second: `true`, 8 at once, from the HTTP request to the durable end record (a `run` that is not threaded
 * answers then), beside a bare Node loop that spawns `/bin/sh -c true`, and `xargs -P 8 sh -c true`, in one run.
 * Usage: npm run bench:jobs [-- <jobs> [<flags of pman>]]
 */
const AT_ONCE = 8;
const TURNS = 3;
/** The unit of processor times in /proc. */
const TICK_MS = 10;

interface Round {
  readonly ours: number;
  readonly loop: number;
  readonly xargs: number;
  /** Processor time a job, in ms. */
  readonly server: number;
  readonly runner: number;
  readonly copier: number;
  readonly shells: number;
}

const [count = '2000', ...flags] = process.argv.slice(2);
const jobs = Number(count);

/** Does a piece of work `jobs` times, so many at once; times a second. */
async function perSecond(piece: (i: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let i = next++; i < jobs; i = next++) await piece(i);
    }),
  );
  return jobs / ((performance.now() - startedAt) / 1000);
}

const spawnLoop = () =>
  perSecond(() => once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore' }), 'exit'));

async function xargs(): Promise<number> {
  const startedAt = performance.now();
  const child = spawn('xargs', ['-P', String(AT_ONCE), '-n', '1', 'sh', '-c', 'true'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(Array.from({ length: jobs }, (_, i) => i).join('\n'));
  await once(child, 'exit');
  return jobs / ((performance.now() - startedAt) / 1000);
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
function runJob(port: number, i: number): Promise<void> {
  const body = JSON.stringify({
    payload: { action: 'run', meta: { cmd: 'true', auid: 'bench', jid: `bench-${i}` } },
  });
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method: 'POST', path: '/api/v1/cmd' }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Processor time in ms that a process has taken, and its ended children; from proc(5). */
function processorMs(pid: number): { readonly own: number; readonly children: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = (field: number) => (fields[field] ?? 0) + (fields[field + 1] ?? 0);
  return { own: ticks(11) * TICK_MS, children: ticks(13) * TICK_MS };
}

/** A process of the pman whose folder this is. */
function pidOf(program: 'runnerProcess' | 'outputCopierProcess', folder: string): number {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = ids.find((id) => {
    try {
      const line = readFileSync(`/proc/${id}/cmdline`, 'latin1');
      return line.includes(program) && line.includes(folder);
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes(systemErrorCode(error) ?? '')) return false; // it has ended
      throw error;
    }
  });
  return Number(found);
}

const ground = freshGround('pman-bench');
const rounds: Round[] = [];
for (let turn = 0; turn < TURNS; turn += 1) {
  const folder = ground.plot(`turn-${turn}`);
  const pman = await startPman(flags, folder);
  await runJob(pman.port, -1); // starts the runner
  const pids = [
    pman.process.pid ?? 0,
    pidOf('runnerProcess', folder),
    pidOf('outputCopierProcess', folder),
  ] as const;
  const [serverBefore, runnerBefore, copierBefore] = pids.map(processorMs);
  const ours = await perSecond((i) => runJob(pman.port, i));
  const [serverAfter, runnerAfter, copierAfter] = pids.map(processorMs);
  await pman.stop();
  const perJob = (after = 0, before = 0) => (after - before) / jobs;
  rounds.push({
    ...{ ours, loop: await spawnLoop(), xargs: await xargs() },
    server: perJob(serverAfter?.own, serverBefore?.own),
    runner: perJob(runnerAfter?.own, runnerBefore?.own),
    copier: perJob(copierAfter?.own, copierBefore?.own),
    shells: perJob(runnerAfter?.children, runnerBefore?.children),
  });
}
agent.destroy();
rmSync(ground.folder, { recursive: true });
const ours = median(rounds.map((round) => round.ours));
const loop = median(rounds.map((round) => round.loop));
const best = median(rounds.map((round) => round.xargs));
const processor = (['server', 'runner', 'copier', 'shells'] as const).map(
  (who) => `${who} ${median(rounds.map((round) => round[who])).toFixed(2)} ms`,
);
console.log(
  `${jobs} jobs, ${AT_ONCE} at once: pman ${ours.toFixed(0)}/s, bare spawn loop ${loop.toFixed(0)}/s (ratio ${(ours / loop).toFixed(2)}), xargs ${best.toFixed(0)}/s (ratio ${(ours / best).toFixed(2)})`,
);
console.log(`processor time a job: ${processor.join(', ')}`);
row({
  what: `${jobs} jobs to their durable end, ${AT_ONCE} at once`,
  limit: `xargs, ${best.toFixed(0)}/s`,
  goal: '0.65',
  measured: `${(ours / best).toFixed(2)}, ${ours.toFixed(0)}/s; ${(ours / loop).toFixed(2)} of a spawn loop`,
  processor: `${processor.join(', ')} a job`,
});
