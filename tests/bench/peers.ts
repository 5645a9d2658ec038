import { rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { VERSION } from '../../lib/version.ts';
import { freshGround } from './ground.ts';
import { AT_ONCE, type Peer, peers } from './peerPrograms.ts';
import { median, startPman } from './programs.ts';

/**
 * `true` so many times, 8 at once, from the first submission to the last end that is known: pman, and the programs that
 * people use for such work, each as its users submit. Prints a table.
 * Usage: npm run bench:peers [-- <jobs>]; tests/bench/peers.sh brings the programs, and what is missing is named.
 */
const TURNS = 3;
const [count = '1000'] = process.argv.slice(2);

/** pman, by 16 clients that stay connected; a run that is not threaded is answered at its durable end. */
function ours(flags: readonly string[], keeps: string): Peer {
  return {
    name: ['pman', ...flags].join(' '),
    keeps,
    version: () => VERSION,
    async run(jobs, folder) {
      const pman = await startPman(['--maxJobs', String(AT_ONCE), ...flags], folder);
      const agent = new Agent({ keepAlive: true });
      try {
        await runJob(agent, pman.port, 'first'); // starts the runner
        const startedAt = performance.now();
        let next = 0;
        const client = async () => {
          for (let i = next++; i < jobs; i = next++) await runJob(agent, pman.port, `job-${i}`);
        };
        await Promise.all(Array.from({ length: 2 * AT_ONCE }, client));
        return (performance.now() - startedAt) / 1000;
      } finally {
        agent.destroy();
        await pman.stop();
      }
    },
  };
}

function runJob(agent: Agent, port: number, jid: string): Promise<void> {
  const meta = { cmd: 'true', auid: 'bench', jid };
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method: 'POST', path: '/api/v1/cmd' }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ payload: { action: 'run', meta } }));
  });
}

const all = [
  ...peers,
  ours([], 'every job with its record and outputs; what runs outlives a crash'),
  ours(['--fsync'], 'the same, also through a power failure'),
];
const ground = freshGround('pman-peers');
const rates = new Map<Peer, number[]>();
let plot = 0;
for (let turn = 0; turn < TURNS; turn += 1) {
  for (const peer of all) {
    if (peer.version() === undefined) continue;
    const jobs = Math.min(Number(count), peer.atMost ?? Number.POSITIVE_INFINITY);
    const taken = await peer.run(jobs, ground.plot(`${plot++}`));
    rates.set(peer, [...(rates.get(peer) ?? []), jobs / taken]);
  }
}
rmSync(ground.folder, { recursive: true, force: true });

const [fastest = 1] = [...rates.values()].map(median);
console.log(
  `${count} jobs, ${AT_ONCE} at once; ${cpus()[0]?.model}, ${cpus().length} processors\n`,
);
console.log(
  '| program | version | jobs a second | of xargs | keeps |\n| --- | --- | --: | --: | --- |',
);
for (const peer of all) {
  const measured = rates.get(peer);
  const rate = measured === undefined ? undefined : median(measured);
  const figures = rate === undefined ? ['-', '-'] : [rate.toFixed(0), (rate / fastest).toFixed(2)];
  const row = [peer.name, peer.version() ?? 'not here', ...figures, peer.keeps];
  console.log(`| ${row.join(' | ')} |`);
}
