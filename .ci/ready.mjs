// Brings a checkout to where its programs run: packages as the lock file says, dist/ as the sources say.
// npm runs it as `prepare`: so `npm ci`, `npm pack`, `npm install --global .` and an install from git give programs.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const hasTools = ['typescript', 'esbuild'].every((name) =>
  existsSync(join(root, 'node_modules', name)),
);
// npm installs the packages of this checkout at the moment, and calls us at the end of it.
const isInstalling =
  ['ci', 'install'].includes(process.env.npm_command) && process.env.npm_config_global !== 'true';

// npm hands its settings down by the environment. Those of the outer command alone must not reach the install here.
const ofOuterCommand =
  /^(npm_config_(global|location|prefix|local_prefix|dry_run|omit|include|only|production|ignore_scripts|json|loglevel)|NODE_ENV)$/i;
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !ofOuterCommand.test(name)),
);

/** Runs a command in the checkout; ends this process with its exit code when it fails. */
function step(command, args) {
  // Standard output stays free: `npm pack --json` writes its answer there.
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (error) {
    console.error(`cannot run ${command}: ${error.message}`);
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether packages are missing, or older than the lock file. */
function needsInstall() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!hasTools || !existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
}

// `npm ci --dry-run` of npm 10 calls us as well.
if (isInstalling && process.env.npm_config_dry_run === 'true') process.exit(0);
if (process.env._PACOTE_NO_PREPARE_ !== undefined && process.env.npm_config_global === 'true') {
  // npm prepares what comes from git by an install that takes `--global` from the outer one, and both write to the same
  // place (https://github.com/npm/cli/issues/8440): that fails at random, so it is refused.
  console.error(
    'npm cannot build what `npm install --global` takes from git. Clone it, and run `npm install --global .` there.',
  );
  process.exit(1);
}
if (!isInstalling && needsInstall()) {
  // It runs this script again, as `prepare`, and that builds.
  step('npm', ['ci', '--loglevel=error']);
} else if (hasTools) {
  step(process.execPath, ['.ci/build.mjs']);
} else {
  console.error(
    'The programs cannot be built: the development packages are left out. Install without --omit=dev; or with --ignore-scripts, then nothing is built.',
  );
  process.exit(1);
}
