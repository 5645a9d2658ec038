import { readFileSync } from 'node:fs';
import { ofProcess, processNumbers, statFields } from './processTable.ts';

/** What the processes of a session take now. */
export interface SessionUse {
  /** Processor time of those that live, and of their children that have ended. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** Linux tells processor time in hundredths of a second (proc(5), USER_HZ). */
const TICKS_A_SECOND = 100;

/**
 * What the sessions with these leaders take, by leader; none where there is no /proc. A step is a look at one process: a host may
 * have thousands.
 */
export function* sessionUse(
  leaders: ReadonlySet<number>,
): Generator<void, ReadonlyMap<number, SessionUse>, void> {
  const found = new Map<number, SessionUse>();
  if (leaders.size === 0) return found;
  for (const pid of processNumbers()) {
    yield;
    const fields = statFields(pid);
    if (fields === undefined) continue;
    const session = Number(fields[3]);
    if (!leaders.has(session)) continue;
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const before = found.get(session) ?? { cpuSeconds: 0, memoryBytes: 0 };
    found.set(session, {
      cpuSeconds: before.cpuSeconds + ticks / TICKS_A_SECOND,
      memoryBytes: before.memoryBytes + memoryOf(pid),
    });
  }
  return found;
}

function memoryOf(pid: number): number {
  const status = ofProcess(() => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '';
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
