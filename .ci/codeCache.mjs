// Runs the programs of <folder>/bin/ once, and keeps what V8 has compiled of them beside them, so that a start compiles
// nothing (docs/decisions/0035). It is of this Node alone: any other one starts as if it were not there.
// Usage: node .ci/codeCache.mjs [folder]; the folder is dist unless one is named.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const bin = realpathSync(join(process.argv[2] ?? 'dist', 'bin'));
const hook = join(dirname(fileURLToPath(import.meta.url)), 'keepCode.cjs');
const place = mkdtempSync(join(tmpdir(), 'pman-code-'));
/** How long the processes of a job may take to end after their server, in milliseconds. */
const PATIENCE_MS = 10_000;
// Of the caller's settings none: a flag for V8 in NODE_OPTIONS would make code that no other start can use.
const env = { PATH: process.env.PATH, HOME: place, NODE_OPTIONS: `--require "${hook}"` };
const program = (name) => join(bin, `${name}.cjs`);

try {
  await server();
  for (const [name, ...args] of [
    ['pfioh', '--version'],
    ['purl', '--version'],
    ['swarm', '--version'],
    ['crunner', '-v', '-1', '-c', 'true'],
    ['pman_health', '--version'],
    ['pman_do', '--version'],
    ['pman', 'token', '--help'],
  ]) {
    spawnSync(process.execPath, [program(name), ...args], { env, stdio: 'ignore' });
  }
  await jobProcesses();
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** A server, with a job; its runner and its copier end later. */
async function server() {
  const flags = ['--ip', '127.0.0.1', '--port', '0', '--http', '--verbosity', '0'];
  const places = ['--DBpath', join(place, 'db'), '--directiveFile', join(place, 'directive')];
  const child = spawn(process.execPath, [program('pman'), ...flags, ...places], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let said = '';
  const port = new Promise((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const [, digits] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
      if (digits !== undefined) resolve(Number(digits));
    });
  });
  const at = await Promise.race([port, ended.then(() => undefined)]);
  if (at === undefined) return console.error(`no code of the server is kept: ${said}`);
  await ask(at, { action: 'hello', meta: { askAbout: 'timestamp' } });
  await ask(at, { action: 'run', meta: { cmd: 'echo $((1 + 1))', auid: 'build', jid: 'build' } });
  await ask(at, { action: 'status', meta: { key: 'jid', value: 'build' } });
  child.kill('SIGTERM');
  await ended;
}

/** Waits until the processes of the job have left their code, and so have ended. */
async function jobProcesses() {
  const isKept = (name) =>
    readdirSync(bin).some((file) => file.startsWith(`${name}-`) && file.endsWith('.cache'));
  const until = Date.now() + PATIENCE_MS;
  while (!['runnerProcess', 'outputCopierProcess'].every(isKept) && Date.now() < until) {
    await sleep(50);
  }
}

/** Asks the server one thing, and waits for its answer. */
function ask(port, payload) {
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, host: '127.0.0.1', method: 'POST', path: '/api/v1/cmd' },
      (answer) => answer.resume().on('end', resolve),
    );
    sent.on('error', reject).end(JSON.stringify({ payload }));
  });
}
