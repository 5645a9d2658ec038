import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';
import { startTicks } from '../../lib/host/processes.ts';
import type { PartStart } from './journal.ts';
import { partFiles } from './spool.ts';

/**
 * How a part was started by a runner that was killed before it wrote that down; undefined when it was not. The process
 * itself makes its output file: where that is, the part has begun, and running it would be running it twice.
 */
export function findUnwrittenStart(folder: string, part: number): PartStart | undefined {
  const { out } = partFiles(folder, part);
  const stat = statSync(out, { throwIfNoEntry: false });
  if (!stat?.isFile()) return undefined;
  const startedAt = stat.birthtimeMs;
  const pid = writerOf(out);
  if (pid === undefined) return { pid: 0, startedAt };
  const ticks = startTicks(pid);
  return { pid, startedAt, ...(ticks === undefined ? {} : { ticks }) };
}

/** The oldest process that writes its standard output to a file; undefined where there is none, or no /proc. */
function writerOf(file: string): number | undefined {
  return processIds().find((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/1`) === file;
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
