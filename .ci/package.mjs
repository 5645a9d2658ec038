// The package as users get it. In clones of what is committed, which have no packages and no dist/ yet, it tries the ways to
// install: a packed file, an address of git, and `npm install --global .`. Programs are asked for their version, and pman
// of the packed file runs a job, and its modules are tried. The way from a clone to a first job is counted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const programs = ['pman', 'pman_do', 'pman_health', 'pfioh', 'purl', 'pfurl', 'crunner', 'swarm'];
const folder = mkdtempSync(join(tmpdir(), 'pman-package-'));
const run = async (command, args, cwd) =>
  (await execa(command, args, { cwd, stderr: 'inherit' })).stdout;
const npm = (args, cwd) =>
  run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], cwd);

function fail(message) {
  throw new Error(message);
}

/** The lock file names the packages of every platform, so that `npm ci` works on each, and no registry. */
function checkLockFile() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  for (const [place, { optionalDependencies = {}, resolved }] of Object.entries(packages)) {
    if (resolved !== undefined) fail(`package-lock.json: ${place} has the address of a registry`);
    for (const name of Object.keys(optionalDependencies))
      if (!packages[`node_modules/${name}`] && !packages[`${place}/node_modules/${name}`])
        fail(`package-lock.json: ${name} is missing (CONTRIBUTING.md: Packages)`);
  }
  console.log('the lock file is complete');
}

/** An empty folder to install into. */
function emptyFolder(name) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), '{ "private": true }\n');
  return path;
}

/** A clone as git makes it: no packages, no dist/. */
async function freshClone(name) {
  const path = join(folder, name);
  await run('git', ['clone', '--quiet', process.cwd(), path], folder);
  return path;
}

/** Each program is there and starts. */
async function checkPrograms(way, bin) {
  for (const name of programs) {
    const flag = name === 'crunner' || name === 'swarm' ? '--help' : '--version';
    if (!existsSync(join(bin, name))) fail(`${way}: ${name} is not there`);
    const text = await run(join(bin, name), [flag], folder);
    if (text.trim() === '') fail(`${way}: ${name} ${flag} prints nothing`);
  }
  console.log(`${way}: ${programs.length} programs start`);
}

/** Runs a job on the pman in a folder of programs. */
async function firstJob(bin) {
  const flags = ['--port', '0', '--DBpath', join(folder, 'db'), '--verbosity', '0'];
  const pman = spawn(join(bin, 'pman'), [...flags, '--directiveFile', join(folder, 'd.json')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => pman.once('exit', resolve));
  try {
    const port = await new Promise((resolve, reject) => {
      let text = '';
      pman.once('exit', (code) => reject(new Error(`pman ended with ${code}: ${text}`)));
      pman.stderr.on('data', (chunk) => {
        text += chunk;
        const [, found] = /listening on tcp:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? [];
        if (found) resolve(found);
      });
    });
    const ask = async (action, meta) => {
      const body = JSON.stringify({ payload: { action, meta } });
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
      return answer.json();
    };
    await ask('run', { cmd: 'echo packed', auid: 'ci', jid: 'p' });
    const { d_ret: jobs } = await ask('result', { key: 'jid', value: 'p' });
    if (jobs?.['0']?.stdout?.[0] !== 'packed\n')
      fail(`the job's output is ${JSON.stringify(jobs)}`);
  } finally {
    pman.kill('SIGTERM');
    await exited;
  }
  console.log('pman runs a job');
}

/** The examples of docs/modules.md run, and the types of the modules are right. */
async function checkModules(target) {
  const args = ['.ci/test.mjs', '--maxWorkers=1', 'tests/integration/modules.test.ts'];
  const env = { PMAN_TEST_INSTALLED: target };
  await execa('node', args, { cwd: process.cwd(), env, stdio: ['ignore', 'inherit', 'inherit'] });
  console.log('the modules work');
}

/** `npm pack` in a fresh clone, and an install of the file that it makes. */
async function packed() {
  const clone = await freshClone('packed');
  const [{ filename }] = JSON.parse(await npm(['pack', '--json'], clone));
  const target = emptyFolder('from-file');
  await npm(['install', join(clone, filename)], target);
  const bin = join(target, 'node_modules/.bin');
  await checkPrograms('npm pack', bin);
  await firstJob(bin);
  await checkModules(target);
}

/** An install from an address of git. */
async function fromGit() {
  const target = emptyFolder('from-git');
  await npm(['install', `git+file://${join(folder, 'packed')}`], target);
  await checkPrograms('npm install git+file://…', join(target, 'node_modules/.bin'));
}

/** From a clone to the output of a first job, as docs/install.md has it: so much work of the processor at most, in seconds. */
const FIRST_JOB_S = 120;

/**
 * A fresh clone, `npm ci`, `npm install --global .`, `pman &` and `pman run`. What counts is the work of the processor: other
 * work of the machine, and the line to the registry, do not. So packages may come from npm's cache.
 */
async function firstJobFromClone() {
  const prefix = join(folder, 'prefix');
  const script = `set -e
    git clone --quiet "$0" "$1/global"
    cd "$1/global"
    npm ci --no-audit --no-fund --loglevel=error >&2
    npm install --global --no-audit --no-fund --loglevel=error . >&2
    pman --port "$2" --DBpath "$1/first-db" --verbosity 0 >&2 &
    curl --silent --retry 60 --retry-connrefused --retry-delay 1 "localhost:$2/readyz" >&2
    pman run --server "http://localhost:$2" -f 'echo hello'
    kill $!
    wait $! || true
    times`;
  const port = String(await freePort());
  const { stdout } = await execa('bash', ['-c', script, process.cwd(), folder, port], {
    stderr: 'inherit',
    env: {
      npm_config_prefix: prefix,
      PATH: `${join(prefix, 'bin')}:${process.env.PATH}`,
    },
  });
  const [said, , ofChildren = ''] = stdout.split('\n');
  if (said !== 'hello') fail(`the first job says ${JSON.stringify(said)}`);
  const seconds = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)]
    .map(([, minutes, rest]) => Number(minutes) * 60 + Number(rest))
    .reduce((sum, one) => sum + one, 0);
  console.log(`from a clone to a first job: ${seconds.toFixed(0)} s of processor time`);
  if (!(seconds > 0 && seconds < FIRST_JOB_S)) fail(`that is not within ${FIRST_JOB_S} s`);
  await checkPrograms('npm install --global .', join(prefix, 'bin'));
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

try {
  if ((await run('git', ['status', '--porcelain'], process.cwd())) !== '')
    console.log('what is not committed is not tried');
  checkLockFile();
  // Each way waits for the disk and the registry most of its time.
  await Promise.all([packed().then(fromGit), firstJobFromClone()]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
