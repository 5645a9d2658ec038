import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshGround } from './ground.ts';
import { machine, median, startPman } from './programs.ts';
import { row } from './row.ts';

/**
 * How long after the end of a process a client knows: from the moment when the input of a `cat` is closed, so that it ends, to
 * the answer to `GET /api/v2/jobs/<id>?wait=…`. Beside it the same `cat` as a child of a bare Node, until that says `exit`.
 * Usage: npm run bench:ends [-- <jobs> [<flags of pman>]]
 */
const [count = '300', ...flags] = process.argv.slice(2);
const jobs = Number(count);
/** How long the client has asked when the job ends, so that the question lies at the server, in milliseconds. */
const ASKED_BEFORE_MS = 15;

const agent = new Agent({ keepAlive: true });
let port = 0;

function send(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Ends a `cat`; says how long it takes until somebody knows, in milliseconds. */
async function endOf(input: FileHandle, known: Promise<unknown>): Promise<number> {
  await sleep(ASKED_BEFORE_MS);
  await input.write('the last line\n');
  const endedAt = performance.now();
  await input.close();
  await known;
  return performance.now() - endedAt;
}

async function ofJob(pipe: string): Promise<number> {
  const { id } = await send('POST', '/api/v2/jobs', { command: `cat ${pipe}` });
  const input = await open(pipe, 'w'); // when the job has opened it
  const told = send('GET', `/api/v2/jobs/${String(id)}?wait=30s`);
  const time = await endOf(input, told);
  const { state } = await told;
  if (state !== 'succeeded') throw new Error(`the job is ${String(state)}`);
  return time;
}

async function ofChild(pipe: string): Promise<number> {
  const child: ChildProcess = spawn('/bin/sh', ['-c', `cat ${pipe}`], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  return endOf(await open(pipe, 'w'), exited);
}

function within(times: readonly number[], share: number): string {
  const inOrder = [...times].sort((a, b) => a - b);
  return (inOrder[Math.ceil(inOrder.length * share) - 1] ?? 0).toFixed(2);
}
const shown = (times: readonly number[]) =>
  `median ${median(times).toFixed(2)} ms, 99 % within ${within(times, 0.99)} ms, the fastest tenth within ${within(times, 0.1)} ms`;
const brief = (times: readonly number[]) =>
  `${median(times).toFixed(1)} ms, 99 % within ${within(times, 0.99)} ms`;

const ground = freshGround('pman-bench-ends');
const pman = await startPman(flags, ground.plot('pman'));
port = pman.port;
const pipe = join(ground.folder, 'input');
execFileSync('mkfifo', [pipe]);
try {
  const times = { pman: [] as number[], child: [] as number[] };
  for (let i = 0; i < jobs + 20; i += 1) {
    const [ours, bare] = [await ofJob(pipe), await ofChild(pipe)];
    if (i < 20) continue; // the first ones start the runner, and have code compiled
    times.pman.push(ours);
    times.child.push(bare);
  }
  console.log(machine());
  console.log(`from the end of a process to the answer: ${shown(times.pman)}`);
  console.log(`to the exit event of a bare Node: ${shown(times.child)}`);
  row({
    what: 'from the end of a process to the answer to `?wait` (median)',
    limit: `the \`exit\` event of a bare Node, ${brief(times.child)}`,
    goal: '5 ms, 99 % within 20 ms',
    measured: brief(times.pman),
  });
} finally {
  agent.destroy();
  await pman.stop();
  rmSync(ground.folder, { recursive: true });
}
