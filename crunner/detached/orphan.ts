import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';
import { startTicks } from '../../lib/host/processes.ts';
import type { PartStart } from './journal.ts';

/**
 * How a part was started by a runner that was killed before it wrote that down; undefined when it was not. The process
 * itself makes its output file: where that is, the part has begun, and running it would be running it twice.
 * @param out that file
 * @param pipes tells what the part's process writes to, as /proc names it
 */
export async function findUnwrittenStart(
  out: string,
  pipes: () => Promise<readonly string[]>,
): Promise<PartStart | undefined> {
  const stat = statSync(out, { throwIfNoEntry: false });
  if (!stat?.isFile()) return undefined;
  const startedAt = stat.birthtimeMs;
  const pid = findProcess(1, [out, ...(await pipes())]);
  if (pid === undefined) return { pid: 0, startedAt };
  const ticks = startTicks(pid);
  return { pid, startedAt, ...(ticks === undefined ? {} : { ticks }) };
}

/** The oldest process with one of these files at a descriptor; undefined where there is none, or no /proc. */
export function findProcess(fd: number, files: readonly string[]): number | undefined {
  return processIds().find((pid) => {
    try {
      return files.includes(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch (error) {
      // It has ended, has no such descriptor, or is another user's.
      if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? ''))
        return false;
      throw error;
    }
  });
}

function processIds(): readonly number[] {
  try {
    const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return ids.map(Number).sort((a, b) => a - b);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
