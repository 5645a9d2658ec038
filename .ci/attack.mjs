// Tries all attacks (tests/attack). With --write the table of docs/security.md is written; without, it has to be right.
import { spawnSync } from 'node:child_process';

const given = process.argv.slice(2);
const env = { ...process.env };
if (given.includes('--write')) env.PMAN_ATTACK_WRITE = '1';
const jest = [
  '.ci/test.mjs',
  '--runInBand',
  'tests/attack/',
  ...given.filter((a) => a !== '--write'),
];
const { status, signal } = spawnSync(process.execPath, jest, { stdio: 'inherit', env });
process.exit(signal ? 1 : (status ?? 1));
