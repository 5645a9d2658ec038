import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPman } from './programs.ts';
import { missed, row } from './row.ts';

/**
 * What pman and its runner hold after long work: open files, memory, zombies; after each round of 1,000 jobs and 5,000
 * requests, a tenth of these on connections of their own. Ends with 1 when anything is left that was not there after the
 * first round.
 * Usage: npm run bench:soak [-- <rounds>]
 */
const rounds = Number(process.argv[2] ?? 4);
const JOBS = 1000;
const REQUESTS = 5000;
const AT_ONCE = 8;
/** How much more memory than after the first round is no leak: the garbage of a moment, by part and in MB. */
const MEMORY_NOISE = 1.25;
const NOISE_MB = 8;
/** How long the last connections, journals and garbage have to go, in milliseconds: by then both rest. */
const REST_MS = 10_000;

interface Figures {
  readonly files: number;
  /** Of its own: pages of programs come and go. */
  readonly ownMb: number;
  readonly zombies: number;
}

const kept = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const fresh = new Agent({ keepAlive: false });

function send(port: number, agent: Agent, payload: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method: 'POST', path: '/api/v1/cmd' }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ payload }));
  });
}

async function times(count: number, piece: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await piece(i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const commands = [
  'true',
  'echo out; echo err >&2',
  'exit 3',
  "head -c 20000 /dev/zero | tr '\\0' x",
  'kill $$',
];

async function work(port: number, round: number): Promise<void> {
  await times(JOBS, (i) => {
    const cmd = commands[i % commands.length];
    const meta = { cmd, auid: 'soak', jid: `${round}-${i}`, threaded: i % 4 === 0 };
    return send(port, kept, { action: 'run', meta });
  });
  await times(REQUESTS, (i) => {
    const meta = { key: 'jid', value: `${round}-${i % JOBS}`, askAbout: 'sysinfo' };
    const action = ['status', 'result', 'hello', 'info'][i % 4];
    return send(port, i % 10 === 0 ? fresh : kept, { action, meta });
  });
}

const statOf = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has ended
  }
};

function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function figuresOf(pid: number): Figures {
  const zombies = processes().filter((child) => {
    const status = statOf(child, 'status');
    return status.includes(`\nPPid:\t${pid}\n`) && /^State:\s+Z/m.test(status);
  });
  return {
    files: readdirSync(`/proc/${pid}/fd`).length,
    ownMb: Number(/^RssAnon:\s+(\d+)/m.exec(statOf(pid, 'status'))?.[1]) / 1024,
    zombies: zombies.length,
  };
}

function runnerOf(folder: string): number {
  const found = processes().find((pid) => {
    const command = statOf(pid, 'cmdline');
    return command.includes('runnerProcess') && command.includes(folder);
  });
  if (found === undefined) throw new Error('there is no runner');
  return found;
}

const pman = await startPman();
const { port, folder } = pman;
const show = (what: string, { files, ownMb, zombies }: Figures) =>
  console.log(
    `${what}: ${files} files open, ${ownMb.toFixed(0)} MB of its own, ${zombies} zombies`,
  );
let left = false;
let first: readonly Figures[] | undefined;
let last: readonly Figures[] = [];
try {
  show('pman, before', figuresOf(pman.process.pid ?? 0));
  for (let round = 1; round <= rounds; round += 1) {
    await work(port, round);
    await sleep(REST_MS);
    const now = [pman.process.pid ?? 0, runnerOf(folder)].map(figuresOf);
    for (const [i, figures] of now.entries()) {
      show(`${i === 0 ? 'pman' : 'runner'}, after ${round * JOBS} jobs`, figures);
      const start = first?.[i] ?? figures;
      left ||=
        figures.zombies > 0 ||
        figures.files > start.files ||
        figures.ownMb > start.ownMb * MEMORY_NOISE + NOISE_MB;
    }
    first ??= now;
    last = now;
  }
} finally {
  kept.destroy();
  await pman.stop();
}
if (left) missed('something is left over');
else console.log('nothing is left over');
for (const [i, what] of ['pman', 'its runner'].entries()) {
  const [before, after] = [first?.[i], last[i]];
  if (before === undefined || after === undefined) continue;
  row({
    what: `${what} after ${rounds * JOBS} jobs and ${rounds * REQUESTS} requests`,
    limit: `the same after ${JOBS} and ${REQUESTS}: ${before.ownMb.toFixed(0)} MB of its own, ${before.files} open files`,
    goal: `no more than ${MEMORY_NOISE} times and ${NOISE_MB} MB, no more files`,
    measured: `${(after.ownMb / before.ownMb).toFixed(2)} times, ${after.ownMb.toFixed(0)} MB, ${after.files} open files, ${after.zombies} zombies`,
  });
}
