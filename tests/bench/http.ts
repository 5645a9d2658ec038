import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { besideBare } from './besideBare.ts';
import { httpRequest, runLoad } from './load.ts';
import { machine, startPman, startProgram } from './programs.ts';

/**
 * Requests a second of pman beside a bare node:http server that does the same JSON work, in turns in one run; and how
 * long a `run` takes to be accepted. Usage: npm run bench:http [-- <seconds a turn>]
 */
const seconds = Number(process.argv[2] ?? 3);

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
    const both = { pman: pmanTls, bare: bareTls };
    await besideBare({ name: 'hello, TLS', ...both, request, seconds, tls: true });
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

/** The ROUTER with an answer that is always the same, beside node:http with that one: what the socket itself costs. */
async function compareSockets(request: string) {
  const start = (kind: string) =>
    startProgram([process.execPath, ...process.execArgv, socketFile, kind], /(\d+)\n/);
  const router = await start('router');
  const http = await start('http');
  try {
    await besideBare({ name: 'the ROUTER alone', pman: router, bare: http, request, seconds });
  } finally {
    await router.stop();
    await http.stop();
  }
}

console.log(machine());
const socketFile = fileURLToPath(new URL('bareSocket.ts', import.meta.url));
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
  await besideBare({ name: 'hello', goal: '0.9', pman, bare, request: hello, seconds });
  await besideBare({ name: 'status', goal: '0.9', pman, bare, request: status, seconds });
  await compareTls(hello);
  await compareSockets(hello);
  const runMs = await latency(pman.port, run);
  const bareMs = await latency(bare.port, hello);
  console.log(
    `run      accepted in ${runMs.toFixed(2)} ms, bare answer in ${bareMs.toFixed(2)} ms (medians)`,
  );
} finally {
  await pman.stop();
  await bare.stop();
}
