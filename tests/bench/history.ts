import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processorMs } from './processFigures.ts';
import { type BenchServer, median, startPman } from './programs.ts';
import { row as tell } from './row.ts';
import { writeHistory } from './writeHistory.ts';

/**
 * What a long history costs: pman with 100 to 100,000 finished jobs on disk. Needs 7 GB of disk for the largest.
 * Usage: npm run bench:history [-- <jobs>…]
 */
const sizes =
  process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1000, 10_000, 100_000];
const STATUSES = 300;
const TURNS = 11;
const CHANGED_JOBS = 10;

interface Row {
  readonly jobs: number;
  readonly startMs: number;
  /** The start that finds no index. */
  readonly coldStartMs: number;
  /** From there until every record has been read. */
  readonly knownMs: number;
  readonly rssMb: number;
  readonly statusMs: number;
  readonly saveMs: number;
  readonly listMs: number;
  readonly listMb: number;
  /** Of pman, until its first answer, and for a status, in milliseconds. */
  readonly startCpuMs: number;
  readonly statusCpuMs: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: CHANGED_JOBS });

/** Sends a request and waits for the whole answer; its size in bytes. */
function send(port: number, method: string, payload?: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method, path: '/api/v1' }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`${method} was answered with ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(payload === undefined ? undefined : JSON.stringify({ payload }));
  });
}

async function time(piece: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await piece();
  return performance.now() - startedAt;
}

async function medianOf(turns: number, piece: (turn: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) times.push(await time(() => piece(turn)));
  return median(times);
}

const hello = { action: 'hello', meta: { askAbout: 'timestamp' } };

async function startTimed(folder: string): Promise<{ server: BenchServer; ms: number }> {
  const startedAt = performance.now();
  const server = await startPman([], folder);
  await send(server.port, 'POST', hello);
  return { server, ms: performance.now() - startedAt };
}

/** Waits until the server has read the records that its index did not know. */
async function untilAllKnown(port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/hello`);
    if (!(await answer.text()).includes('"recordsRead"')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function rssMb({ process: child }: BenchServer): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

async function measure(folder: string, jobs: number): Promise<Row> {
  writeHistory({ jobs, folder: join(folder, 'db'), withIndex: false });
  const cold = await startTimed(folder);
  const knownMs = cold.ms + (await time(() => untilAllKnown(cold.server.port)));
  await cold.server.stop();
  const { server, ms: startMs } = await startTimed(folder);
  const rss = rssMb(server);
  const { port } = server;
  const pid = server.process.pid ?? 0;
  const startCpuMs = processorMs(pid);
  const ask = (turn: number) => {
    const value = `history-${Math.floor((turn * jobs) / STATUSES)}`;
    return send(port, 'POST', { action: 'status', meta: { key: 'jid', value } });
  };
  await medianOf(50, ask);
  const beforeStatuses = processorMs(pid);
  const statusMs = await medianOf(STATUSES, ask);
  const statusCpuMs = (processorMs(pid) - beforeStatuses) / STATUSES;
  const saves: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const runs = Array.from({ length: CHANGED_JOBS }, (_, k) => {
      const meta = { cmd: 'true', auid: 'bench', jid: `new-${turn}-${k}`, threaded: true };
      return send(port, 'POST', { action: 'run', meta });
    });
    await Promise.all(runs);
    const meta = { context: 'db', operation: 'save' };
    saves.push(await time(() => send(port, 'PUT', { action: 'run', meta })));
  }
  let listBytes = 0;
  const listMs = await medianOf(5, async () => {
    listBytes = await send(port, 'GET');
  });
  await server.stop();
  return {
    jobs,
    startMs,
    coldStartMs: cold.ms,
    knownMs,
    rssMb: rss,
    startCpuMs,
    statusCpuMs,
    statusMs,
    saveMs: median(saves),
    listMs,
    listMb: listBytes / 1024 / 1024,
  };
}

const columns = {
  jobs: (row: Row) => row.jobs.toLocaleString('en'),
  'start s': (row: Row) => (row.startMs / 1000).toFixed(2),
  'start without index s': (row: Row) => (row.coldStartMs / 1000).toFixed(2),
  'all known then s': (row: Row) => (row.knownMs / 1000).toFixed(2),
  'memory MB': (row: Row) => row.rssMb.toFixed(0),
  'status ms': (row: Row) => row.statusMs.toFixed(2),
  'save of 10 ms': (row: Row) => row.saveMs.toFixed(1),
  'list ms': (row: Row) => row.listMs.toFixed(1),
  'list MB': (row: Row) => row.listMb.toFixed(2),
};

console.log(
  `| ${Object.keys(columns).join(' | ')} |\n|${' --: |'.repeat(Object.keys(columns).length)}`,
);
const rows: Row[] = [];
for (const jobs of sizes) {
  const folder = mkdtempSync(join(tmpdir(), 'pman-history-'));
  try {
    const row = await measure(folder, jobs);
    rows.push(row);
    console.log(
      `| ${Object.values(columns)
        .map((cell) => cell(row))
        .join(' | ')} |`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
agent.destroy();
const [few, many] = [rows[0], rows.at(-1)];
if (few !== undefined && many !== undefined && many.jobs > few.jobs) {
  const [a, b] = [few.jobs.toLocaleString('en'), many.jobs.toLocaleString('en')];
  tell({
    what: `start with ${b} jobs, to the first answer`,
    limit: `with ${a} jobs, ${few.startMs.toFixed(0)} ms`,
    goal: '3 s and 400 MB with a million',
    measured: `${many.startMs.toFixed(0)} ms, ${many.rssMb.toFixed(0)} MB (${few.rssMb.toFixed(0)} MB)`,
    processor: `${many.startCpuMs.toFixed(0)} and ${few.startCpuMs.toFixed(0)} ms`,
  });
  tell({
    what: `\`status\` by \`jid\` with ${b} jobs (median)`,
    limit: `with ${a} jobs, ${few.statusMs.toFixed(2)} ms`,
    goal: '1.2 times',
    measured: `${(many.statusMs / few.statusMs).toFixed(2)} times, ${many.statusMs.toFixed(2)} ms`,
    processor: `${many.statusCpuMs.toFixed(2)} and ${few.statusCpuMs.toFixed(2)} ms (${(many.statusCpuMs / few.statusCpuMs).toFixed(2)} times)`,
  });
}
