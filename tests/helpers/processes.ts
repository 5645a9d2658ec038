import { readdirSync, readFileSync } from 'node:fs';

/** Processes started below a marked one inherit this variable; that is how a test finds them. */
export const MARK = 'TEST_OF_PMAN';

export interface ProcessInfo {
  readonly pid: number;
  /** Its command line, blanks between the arguments. */
  readonly command: string;
}

/** Running processes whose environment carries the mark. Empty where there is no /proc. */
export function processesMarked(mark: string): ProcessInfo[] {
  const wanted = `${MARK}=${mark}`;
  const found: ProcessInfo[] = [];
  for (const entry of listProc()) {
    const environment = readProc(entry, 'environ');
    if (!environment.split('\0').includes(wanted)) continue;
    const command = readProc(entry, 'cmdline').split('\0').join(' ').trim();
    // A zombie has no command line: it is over.
    if (command !== '') found.push({ pid: Number(entry), command });
  }
  return found;
}

/** Those that were called with this word. */
export function processesCalledWith(word: string): ProcessInfo[] {
  return listProc().flatMap((entry) => {
    const words = readProc(entry, 'cmdline').split('\0');
    return words.includes(word) ? [{ pid: Number(entry), command: words.join(' ').trim() }] : [];
  });
}

/** Kills them all and returns what they were. */
export function killMarked(mark: string): ProcessInfo[] {
  const found = processesMarked(mark);
  for (const { pid } of found) signal(pid, 'SIGKILL');
  return found;
}

/** Sends a signal to a process (or, negative, to a group) that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function listProc(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // not Linux
  }
}

function readProc(pid: string, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // ended meanwhile, or somebody else's
  }
}
