import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { httpRequest, type LoadResult, runLoad } from './load.ts';
import { type BenchServer, median, startPman, startProgram } from './programs.ts';

/**
 * Requests a second of pman beside a bare node:http server that does the same JSON work, in turns in one run; and how
 * long a `run` takes to be accepted. Usage: npm run bench:http [-- <seconds a turn>]
 */
const CONNECTIONS = 32;
const TURNS = 3;
const seconds = Number(process.argv[2] ?? 3);

/** Takes turns, so that what else the machine does strikes both alike. */
async function compare(
  name: string,
  pman: BenchServer,
  bare: BenchServer,
  request: string,
  tls = false,
) {
  const rounds: { pman: LoadResult; bare: LoadResult }[] = [];
  const before = [pman, bare].map(processorMs);
  const load = (port: number) => runLoad({ port, connections: CONNECTIONS, seconds, request, tls });
  const warm = (port: number) =>
    runLoad({ port, connections: CONNECTIONS, seconds: 1, request, tls });
  const warmUp = {
    pman: (await warm(pman.port)).requests,
    bare: (await warm(bare.port)).requests,
  };
  for (let i = 0; i < TURNS; i += 1) {
    rounds.push({ bare: await load(bare.port), pman: await load(pman.port) });
  }
  const ours = median(rounds.map((round) => round.pman.perSecond));
  const limit = median(rounds.map((round) => round.bare.perSecond));
  const [ourMs, limitMs] = [pman, bare].map((server, i) => processorMs(server) - (before[i] ?? 0));
  const [ourCount, limitCount] = (['pman', 'bare'] as const).map((side) =>
    rounds.reduce((sum, round) => sum + round[side].requests, warmUp[side]),
  );
  const each = (ms = 0, count = 1) => `${((1000 * ms) / count).toFixed(0)} µs`;
  const errors = rounds.reduce((sum, round) => sum + round.pman.errors, 0);
  console.log(
    `${name.padEnd(10)} pman ${ours.toFixed(0)}/s, bare node:${tls ? 'https' : 'http'} ${limit.toFixed(0)}/s, ratio ${(ours / limit).toFixed(2)}, errors ${errors}; processor time a request ${each(ourMs, ourCount)} and ${each(limitMs, limitCount)}`,
  );
}

/** The processor time that a server has taken so far (proc(5): ticks of 10 ms); other work does not change it much. */
function processorMs({ process: child }: BenchServer): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** The same over TLS, on connections that stay: handshakes are not counted. Without openssl there is no such row. */
async function compareTls(request: string) {
  if (spawnSync('openssl', ['version']).error) return;
  const folder = mkdtempSync(join(tmpdir(), 'pman-bench-tls-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const fresh = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=x',
  ];
  spawnSync('openssl', ['req', '-x509', ...fresh, '-keyout', key, '-out', cert]);
  const bareTls = await startProgram(
    [process.execPath, ...process.execArgv, bareFile, cert, key],
    /(\d+)\n/,
  );
  const pmanTls = await startPman(['--tlsCert', cert, '--tlsKey', key]);
  try {
    await compare('hello, TLS', pmanTls, bareTls, request, true);
  } finally {
    await pmanTls.stop();
    await bareTls.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Median time from a request to its reply on one connection, in milliseconds. */
async function latency(port: number, request: string): Promise<number> {
  return (await runLoad({ port, connections: 1, seconds, request })).medianMs;
}

const bareFile = fileURLToPath(new URL('bareServer.ts', import.meta.url));
const bare = await startProgram([process.execPath, ...process.execArgv, bareFile], /(\d+)\n/);
const pman = await startPman();
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
  await compareTls(hello);
  const runMs = await latency(pman.port, run);
  const bareMs = await latency(bare.port, hello);
  console.log(
    `run      accepted in ${runMs.toFixed(2)} ms, bare answer in ${bareMs.toFixed(2)} ms (medians)`,
  );
} finally {
  await pman.stop();
  await bare.stop();
}
