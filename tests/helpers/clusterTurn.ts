import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { systemErrorCode } from '../../lib/errors.ts';

const folder = process.env.PMAN_TEST_KUBERNETES_DIR || tmpdir();
const lock = join(folder, 'pman-tests.lock');

/**
 * Waits until no other file of tests uses the cluster: some of them kill its programs. To be awaited while the file is loaded,
 * where no time limit of a test counts. The turn ends with the last test of the file.
 */
export async function clusterTurn(): Promise<void> {
  if (!process.env.PMAN_TEST_KUBERNETES) return;
  while (!tryToTake()) await sleep(300);
  afterAll(() => rmSync(lock, { recursive: true, force: true }));
}

function tryToTake(): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    if (hasLeft()) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

/** Whether the process is gone that had the turn. */
function hasLeft(): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'ESRCH';
  }
}
