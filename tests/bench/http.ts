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
async function compare(name: string, pman: BenchServer, bare: BenchServer, request: string) {
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
  const runMs = await latency(pman.port, run);
  const bareMs = await latency(bare.port, hello);
  console.log(
    `run      accepted in ${runMs.toFixed(2)} ms, bare answer in ${bareMs.toFixed(2)} ms (medians)`,
  );
} finally {
  await pman.stop();
  await bare.stop();
}
