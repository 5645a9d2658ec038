// Builds dist/ from the sources: the libraries with their types, and the programs in bundles.
// It builds into a folder of its own and puts that in the place of dist/ at the end. So nothing of an earlier build is
// left, a build that fails changes nothing, and a program that starts meanwhile finds a whole dist/. When the build is
// the same as the last one, dist/ stays as it is: programs that run from it load some of their files later.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
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

const filesOf = (folder) => {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.cache'));
    return files.map((file) => join(file.parentPath, file.name).slice(folder.length)).sort();
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
};

function isSame(one, other) {
  const files = filesOf(one);
  return (
    files.join() === filesOf(other).join() &&
    files.every((file) => readFileSync(one + file).equals(readFileSync(other + file)))
  );
}

/** Puts what was made in the place of dist/. Another build may be about to do the same: then the later one stays. */
function replace() {
  for (let tries = 5; ; tries -= 1) {
    try {
      rmSync(old, { recursive: true, force: true });
      renameSync(dist, old);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    try {
      return renameSync(made, dist);
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' || tries === 0) throw error;
    }
  }
}

try {
  step('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', made);
  step('.ci/bundle.mjs', made);
  step('.ci/manual.mjs', made);
  if (!isSame(made, dist)) {
    // After the comparison: it is never the same twice. A program without it only starts more slowly.
    step('.ci/codeCache.mjs', made);
    replace();
  }
} catch (error) {
  console.error(`cannot build: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(made, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
}
