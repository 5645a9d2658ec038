import { readdirSync, readFileSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** What the processes of a session take now. */
export interface SessionUse {
  /** Processor time of those that live, and of their children that have ended. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** Linux tells processor time in hundredths of a second (proc(5), USER_HZ). */
const TICKS_A_SECOND = 100;

/** What the sessions with these leaders take, by leader; none where there is no /proc. */
export function sessionUse(leaders: ReadonlySet<number>): ReadonlyMap<number, SessionUse> {
  const found = new Map<number, SessionUse>();
  if (leaders.size === 0) return found;
  for (const pid of processNumbers()) {
    const stat = textOf(`/proc/${pid}/stat`);
    if (stat === undefined) continue;
    // The second field is the program's name in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const session = Number(fields[3]);
    if (!leaders.has(session)) continue;
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const kib = /^VmRSS:\s*(\d+) kB/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1] ?? '0';
    const before = found.get(session) ?? { cpuSeconds: 0, memoryBytes: 0 };
    found.set(session, {
      cpuSeconds: before.cpuSeconds + ticks / TICKS_A_SECOND,
      memoryBytes: before.memoryBytes + Number(kib) * 1024,
    });
  }
  return found;
}

function processNumbers(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined when the process has ended, or is another user's. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
