// The package as users get it. In clones of what is committed, which have no packages and no dist/ yet, it tries the ways to
// install: a packed file, an address of git, and `npm install --global .`. Programs are asked for their version, and pman
// of the packed file runs a job, and its modules are tried.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** `npm install --global .` in a fresh clone. */
async function global() {
  const clone = await freshClone('global');
  const prefix = join(folder, 'prefix');
  await npm(['install', '--global', '--prefix', prefix, '.'], clone);
  await checkPrograms('npm install --global .', join(prefix, 'bin'));
}

try {
  if ((await run('git', ['status', '--porcelain'], process.cwd())) !== '')
    console.log('what is not committed is not tried');
  checkLockFile();
  await packed();
  await fromGit();
  await global();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
