// Runs jest with the flags that ES modules need; arguments are jest's own.
import { spawnSync } from 'node:child_process';

const { status, signal } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
process.exit(signal ? 1 : (status ?? 1));
