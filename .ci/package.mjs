// The package as users get it: packed, installed into an empty folder, each program asked for its version, and pman
// asked to run a job.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const folder = mkdtempSync(join(tmpdir(), 'pman-package-'));
const run = async (command, args, cwd) =>
  (await execa(command, args, { cwd, stderr: 'inherit' })).stdout;

function fail(message) {
  throw new Error(message);
}

async function firstJob() {
  const flags = ['--port', '0', '--DBpath', join(folder, 'db'), '--verbosity', '0'];
  const pman = spawn(
    join(folder, 'node_modules/.bin/pman'),
    [...flags, '--directiveFile', join(folder, 'd.json')],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
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
    await new Promise((resolve) => pman.once('exit', resolve));
  }
}

try {
  const [{ filename }] = JSON.parse(
    await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
      process.cwd(),
    ),
  );
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error', join(folder, filename)],
    folder,
  );
  for (const name of [
    'pman',
    'pman_do',
    'pman_health',
    'pfioh',
    'purl',
    'pfurl',
    'crunner',
    'swarm',
  ]) {
    const flag = name === 'crunner' || name === 'swarm' ? '--help' : '--version';
    const text = await run('npx', ['--no-install', name, flag], folder);
    if (text.trim() === '') fail(`${name} ${flag} prints nothing`);
    console.log(`${name}: ${text.trim().split('\n')[0]}`);
  }
  await firstJob();
  await run('node', ['--input-type=module', '-e', "await import('pman/crunner')"], folder);
  console.log('the package installs and runs');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
