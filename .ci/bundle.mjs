// Puts each program of bin/ with all it imports into a few files of <folder>/bin/: reading hundreds of small modules would
// take most of a program's start (docs/decisions/0005). What is native, or needed seldom, stays a package of its own.
// Usage: node .ci/bundle.mjs [folder]; the folder is dist unless one is named.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const folder = process.argv[2] ?? 'dist';
const programs = readdirSync('bin')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => [basename(file, '.ts'), `bin/${file}`])
  .filter(([name]) => name !== 'crunner');

const common = {
  outdir: join(folder, 'bin'),
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  legalComments: 'linked',
  external: ['zeromq', 'koffi', 'dockerode', 'docker-modem'],
  // Packages in the older module format call require for parts of Node itself.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

// crunner by itself: what it shares with other programs would be files of their own, and each costs its start half a millisecond.
await build({ ...common, entryPoints: { crunner: 'bin/crunner.ts' } });
await build({
  ...common,
  // The runner and the process of file transfer endpoints are found beside the program that starts them.
  entryPoints: Object.fromEntries([
    ...programs,
    ['runnerProcess', 'crunner/detached/runnerProcess.ts'],
    ['endpointProcess', 'lib/fileio/endpointProcess.ts'],
  ]),
});
