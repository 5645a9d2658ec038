import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { freshGround } from './ground.ts';
import { type BenchServer, median, startPman } from './programs.ts';
import { writeHistory } from './writeHistory.ts';

/**
 * What questions that hit many records cost the others: the longest `hello`, asked every 2 ms meanwhile, and the memory.
 * All jobs are of one user, so that a question about the user hits every one.
 * Usage: npm run bench:questions [-- <jobs>]
 */
const jobs = Number(process.argv[2] ?? 20_000);
const HELLO_EVERY_MS = 2;
const MIB = 1024 * 1024;

interface Sent {
  readonly method: string;
  readonly path?: string;
  readonly payload?: object;
}

const helloAgent = new Agent({ keepAlive: true });
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends a request and waits for the whole answer; its size in bytes. */
function send(port: number, { method, path = '/api/v1', payload }: Sent, by = agent) {
  return new Promise<number>((resolve, reject) => {
    const sent = request({ port, agent: by, method, path }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve(bytes));
    });
    sent.on('error', reject);
    sent.end(payload === undefined ? undefined : JSON.stringify({ payload }));
  });
}

const ask = (action: string, meta: object): Sent => ({
  method: 'POST',
  path: '/api/v1/cmd',
  payload: { action, meta },
});

function memoryMib({ process: child }: BenchServer): { now: number; peak: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: of('VmRSS') / 1024, peak: of('VmHWM') / 1024 };
}

/** How long `hello` takes, asked again and again until the work is done. */
async function hellosDuring(port: number, work: Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const askedAt = performance.now();
    await send(port, ask('hello', { askAbout: 'timestamp' }), helloAgent);
    times.push(performance.now() - askedAt);
    await new Promise((resolve) => setTimeout(resolve, HELLO_EVERY_MS));
  }
  await work;
  return times;
}

async function measure(server: BenchServer, name: string, questions: readonly Sent[]) {
  const { port } = server;
  const before = memoryMib(server);
  // The highest so far is forgotten (proc(5)); where that is not allowed, it is told.
  try {
    writeFileSync(`/proc/${server.process.pid}/clear_refs`, '5');
  } catch {}
  const askedAt = performance.now();
  let bytes = 0;
  const answers = Promise.all(
    questions.map(async (question) => {
      const length = await send(port, question);
      bytes += length;
    }),
  );
  const hellos = await hellosDuring(port, answers);
  const tookMs = performance.now() - askedAt;
  const more = memoryMib(server).peak - before.now;
  const cells = [
    name,
    tookMs.toFixed(0),
    Math.max(...hellos).toFixed(0),
    median(hellos).toFixed(1),
    (bytes / MIB / questions.length).toFixed(1),
    Math.max(more, 0).toFixed(0),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

const ground = freshGround('pman-questions');
const folder = ground.plot('pman');
writeHistory({ jobs, folder: join(folder, 'db'), users: 1 });
const server = await startPman([], folder);
try {
  const all = { key: 'auid', value: 'user-0' };
  const everyLeaf = { key: 'jobCount', value: 1 };
  const times = (count: number, question: Sent) => Array.from({ length: count }, () => question);
  const rows: readonly (readonly [string, readonly Sent[]])[] = [
    ['nothing', [ask('hello', { askAbout: 'timestamp' })]],
    ['`status` by auid', [ask('status', all)]],
    ['`status` by a leaf without index', [ask('status', everyLeaf)]],
    ['4 of these at once', times(4, ask('status', everyLeaf))],
    ['12 `done` at once', times(12, ask('done', all))],
    ['`info`', [ask('info', all)]],
    ['`search`', [ask('search', { ...all, path: '/' })]],
    ['`result`', [ask('result', all)]],
    ['4 `result` at once', times(4, ask('result', all))],
    ['the list', [{ method: 'GET' }]],
    ['50 lists at once', times(50, { method: 'GET' })],
    ['50 lists by status', times(50, { method: 'GET', path: '/api/v1?status=lost' })],
    ['50 `get` of `/`', times(50, ask('get', { path: '/' }))],
    ['`DBctl` save', [ask('DBctl', { do: 'save' })]],
    ['`DBctl` save of a copy', [ask('DBctl', { do: 'save', dbpath: 'copy' })]],
    ['`DBctl` load', [ask('DBctl', { do: 'load' })]],
    ['`DBctl` load of a copy', [ask('DBctl', { do: 'load', dbpath: 'copy' })]],
    ['`kill` of all', [ask('kill', all)]],
    ['`DBctl` clear of a copy', [ask('DBctl', { do: 'clear', dbpath: 'copy' })]],
    ['`delete` of all', [ask('delete', all)]],
  ];
  console.log('| question | ms | longest hello ms | median | MiB of answer | MiB more |');
  console.log('| --- | --: | --: | --: | --: | --: |');
  for (const [name, questions] of rows) await measure(server, name, questions);
} finally {
  await server.stop();
  rmSync(ground.folder, { recursive: true, force: true });
  agent.destroy();
  helloAgent.destroy();
}
