// Builds dist/ from the sources: the libraries with their types, and the programs in bundles.
// It builds into a folder of its own and puts that in the place of dist/ at the end. So nothing of an earlier build is
// left, a build that fails changes nothing, and a program that starts meanwhile finds a whole dist/.
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const made = join(root, `dist.${process.pid}`);
const old = `${made}.old`;

/** Runs a script of Node in the checkout; throws when it fails. */
function step(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`${script} failed`);
}

try {
  step('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', made);
  step('.ci/bundle.mjs', made);
  const bin = join(made, 'bin');
  for (const file of readdirSync(bin)) if (file.endsWith('.js')) chmodSync(join(bin, file), 0o755);
  try {
    renameSync(join(root, 'dist'), old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(made, join(root, 'dist'));
} catch (error) {
  console.error(`cannot build: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(made, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
}
