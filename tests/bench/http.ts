import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { httpRequest, type LoadResult, runLoad } from './load.ts';

/**
 * Requests a second of pman beside a bare node:http server that does the same JSON work, in turns in one run; and how
 * long a `run` takes to be accepted. Usage: npm run bench:http [-- <seconds a turn>]
 */
const CONNECTIONS = 32;
const TURNS = 3;
const seconds = Number(process.argv[2] ?? 3);
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
}

async function start(command: readonly string[], port: RegExp): Promise<Server> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const found = new Promise<number>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const [, digits] = port.exec(output) ?? [];
        if (digits !== undefined) resolve(Number(digits));
      });
    }
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${command.join(' ')} ended: ${output}`);
  });
  return { process: child, port: await Promise.race([found, ended]) };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Takes turns, so that what else the machine does strikes both alike. */
async function compare(name: string, pman: Server, bare: Server, request: string) {
  const rounds: { pman: LoadResult; bare: LoadResult }[] = [];
  const load = (port: number) => runLoad({ port, connections: CONNECTIONS, seconds, request });
  await runLoad({ port: pman.port, connections: CONNECTIONS, seconds: 1, request });
  await runLoad({ port: bare.port, connections: CONNECTIONS, seconds: 1, request });
  for (let i = 0; i < TURNS; i += 1) {
    rounds.push({ bare: await load(bare.port), pman: await load(pman.port) });
  }
  const ours = median(rounds.map((round) => round.pman.perSecond));
  const limit = median(rounds.map((round) => round.bare.perSecond));
  const errors = rounds.reduce((sum, round) => sum + round.pman.errors, 0);
  console.log(
    `${name.padEnd(8)} pman ${ours.toFixed(0)}/s, bare node:http ${limit.toFixed(0)}/s, ratio ${(ours / limit).toFixed(2)}, errors ${errors}`,
  );
}

/** Median time from a request to its reply on one idle connection, in milliseconds. */
async function latency(port: number, request: string): Promise<number> {
  const { medianMs } = await runLoad({ port, connections: 1, seconds, request });
  return medianMs;
}

const folder = mkdtempSync(join(tmpdir(), 'pman-bench-'));
const bare = await start([process.execPath, ...process.execArgv, here('bareServer.ts')], /(\d+)\n/);
const pman = await start(
  [
    process.execPath,
    here('../../dist/bin/pman.js'),
    ...['--port', '0', '--http', '--DBpath', join(folder, 'db'), '--verbosity', '0'],
    ...['--directiveFile', join(folder, 'd_msg.json')],
  ],
  /listening on tcp:\/\/127\.0\.0\.1:(\d+)/,
);
try {
  const hello = httpRequest('/api/v1/cmd', {
    payload: { action: 'hello', meta: { askAbout: 'timestamp' } },
  });
  const run = httpRequest('/api/v1/cmd', {
    payload: { action: 'run', meta: { cmd: 'true', auid: 'bench', jid: 'bench', threaded: true } },
  });
  const status = httpRequest('/api/v1/cmd', {
    payload: { action: 'status', meta: { key: 'jid', value: 'one' } },
  });
  const one = { cmd: 'true', auid: 'bench', jid: 'one' };
  await fetch(`http://127.0.0.1:${pman.port}/`, {
    method: 'POST',
    body: JSON.stringify({ payload: { action: 'run', meta: one } }),
  });
  await compare('hello', pman, bare, hello);
  await compare('status', pman, bare, status);
  const runMs = await latency(pman.port, run);
  const bareMs = await latency(bare.port, hello);
  console.log(
    `run      accepted in ${runMs.toFixed(2)} ms, bare answer in ${bareMs.toFixed(2)} ms (medians)`,
  );
} finally {
  pman.process.kill('SIGTERM');
  bare.process.kill('SIGKILL');
  await once(pman.process, 'exit');
  rmSync(folder, { recursive: true, force: true });
}
