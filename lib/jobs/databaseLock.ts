import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, startTicks } from '../../crunner/processes.ts';
import type { PartStart } from '../../crunner/spool.ts';
import { PmanError, systemErrorCode } from '../errors.ts';

/**
 * Says in the work folder that this process uses the database. What a process that has ended left there counts for
 * nothing.
 * @returns what takes the sign away
 * @throws PmanError conflict when another process uses the database
 */
export function lockDatabase(folder: string, workFolder: string): { release(): void } {
  const file = join(workFolder, 'server.json');
  const ticks = startTicks(process.pid);
  const self: PartStart = { pid: process.pid, startedAt: Date.now(), ...(ticks && { ticks }) };
  const owner = readOwner(file);
  if (owner !== undefined && owner.pid !== process.pid && isAlive(owner)) {
    throw new PmanError(
      'conflict',
      `the database ${folder} is in use by another pman (process ${owner.pid})`,
      { hint: 'name another folder with --DBpath, or stop that one' },
    );
  }
  writeFileSync(file, JSON.stringify(self));
  return { release: () => rmSync(file, { force: true }) };
}

function readOwner(file: string): PartStart | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isOwner = typeof owner === 'object' && owner !== null && 'pid' in owner;
    return isOwner ? (owner as PartStart) : undefined;
  } catch (error) {
    // A crash of the machine may have cut it short.
    if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
