import { readdirSync, readFileSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';

// What the system says about a process, of proc(5).

/** The processor time that its threads have taken so far, in milliseconds; of threads that have ended nothing. */
export function processorMs(pid: number): number {
  const times = threadFiles(pid, 'schedstat').map((text) => Number(text.split(' ')[0]));
  return times.reduce((sum, time) => sum + time, 0) / 1e6;
}

/** How often its threads have gone to sleep so far: as often as something has woken them. */
export function sleeps(pid: number): number {
  const counts = threadFiles(pid, 'status').map((text) =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1]),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What it has in memory, in MB of 1,000,000 bytes: all, and what no other process can share. */
export function memoryMb(pid: number): { readonly all: number; readonly own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const of = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { all: of('VmRSS'), own: of('RssAnon') };
}

/** The process whose command line has all these words. */
export function processWith(...words: readonly string[]): number {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = ids.find((id) => {
    const line = textOf(`/proc/${id}/cmdline`);
    return words.every((word) => line.includes(word));
  });
  if (found === undefined) throw new Error(`there is no process of ${words.join(' ')}`);
  return Number(found);
}

function threadFiles(pid: number, name: string): readonly string[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.map((thread) => textOf(`/proc/${pid}/task/${thread}/${name}`)).filter(Boolean);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemErrorCode(error) ?? '')) return ''; // it has ended
    throw error;
  }
}
