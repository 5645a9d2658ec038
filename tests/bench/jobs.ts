import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { freshGround } from './ground.ts';
import { median, startPman } from './programs.ts';

/**
 * Jobs a second: `true`, 8 at once, from the HTTP request to the durable end record (a `run` that is not threaded
 * answers then), beside a bare Node loop that spawns `/bin/sh -c true`, and `xargs -P 8 sh -c true`, in one run.
 * Usage: npm run bench:jobs [-- <jobs> [<flags of pman>]]
 */
const AT_ONCE = 8;
const TURNS = 3;
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

const ground = freshGround('pman-bench');
const rounds: { ours: number; loop: number; xargs: number }[] = [];
for (let turn = 0; turn < TURNS; turn += 1) {
  const pman = await startPman(flags, ground.plot(`turn-${turn}`));
  await runJob(pman.port, -1); // starts the runner
  const ours = await perSecond((i) => runJob(pman.port, i));
  await pman.stop();
  rounds.push({ ours, loop: await spawnLoop(), xargs: await xargs() });
}
agent.destroy();
rmSync(ground.folder, { recursive: true });
const ours = median(rounds.map((round) => round.ours));
const loop = median(rounds.map((round) => round.loop));
const best = median(rounds.map((round) => round.xargs));
console.log(
  `${jobs} jobs, ${AT_ONCE} at once: pman ${ours.toFixed(0)}/s, bare spawn loop ${loop.toFixed(0)}/s (ratio ${(ours / loop).toFixed(2)}), xargs ${best.toFixed(0)}/s (ratio ${(ours / best).toFixed(2)})`,
);
