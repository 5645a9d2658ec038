// Runs jest with the flags that ES modules need; arguments are jest's own. With --all nothing is left out.
import { spawnSync } from 'node:child_process';
import { longTests } from './longTests.mjs';

const given = process.argv.slice(2);
const all = given.includes('--all');
// Who names a test wants it, however long it takes.
const names = given.some((argument) => argument.includes('tests/'));
const without = all || names ? [] : ['--testPathIgnorePatterns', '/node_modules/', ...longTests];

const { status, signal } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    ...given.filter((argument) => argument !== '--all'),
    ...without,
  ],
  { stdio: 'inherit', env: { ...process.env, PMAN_TEST_LEFT_OUT: without.length > 0 ? '1' : '' } },
);
process.exit(signal ? 1 : (status ?? 1));
