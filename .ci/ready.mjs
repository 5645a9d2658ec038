// Brings a checkout to where its programs run: dependencies as the lock file says, dist/ as the sources say.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the checkout; ends this process with its exit code when it fails. */
function step(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) {
    console.error(`cannot run ${command}: ${error.message}`);
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether node_modules is missing or older than the lock file. */
function needsInstall() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
}

// Not `npm ci`: it wants an entry in the lock file for every platform's optional packages, and a registry that mirrors only
// some platforms cannot give them. The versions are those of the lock file all the same, and it is left as it is.
if (needsInstall()) step('npm', ['install', '--no-save', '--loglevel=error']);
step('npm', ['run', '--silent', 'build']);
