import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Run {
  readonly seconds: number;
  readonly peakMb: number;
  /** Processor time of all that took part. */
  readonly processor: number;
}

/** The most memory that a process has had, in MB; 0 when it has ended. */
export function peakOf(pid: number): number {
  try {
    return (
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
    );
  } catch {
    return 0; // It has just ended.
  }
}

/** Runs a command to its end and watches its memory, and the processor time that it and the servers take. */
export async function timed(
  command: string,
  args: readonly string[],
  { cwd, servers = [] }: { cwd?: string; servers?: readonly number[] } = {},
): Promise<Run> {
  const before = processorSeconds(servers);
  const started = performance.now();
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  let peakMb = 0;
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid ?? 0));
  }, 20);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ').slice(0, 200)} ended with ${String(code)}`);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, peakMb, processor: processorSeconds(servers) - before };
}

/** Several steps, one after the other. */
export function sum(...runs: readonly Run[]): Run {
  const total = (of: (run: Run) => number) => runs.reduce((all, run) => all + of(run), 0);
  return {
    seconds: total((run) => run.seconds),
    processor: total((run) => run.processor),
    peakMb: 0,
  };
}

/** What the kernel counts in: `getconf CLK_TCK`, which is 100 on every Linux in use. */
const TICKS_A_SECOND = 100;
/** Fields of /proc/PID/stat behind the name of the program (proc_pid_stat(5)): utime, stime, cutime, cstime. */
const [OWN, OF_CHILDREN] = [11, 13] as const;

/** The processor time that these processes have taken, and all children of this one that have ended. */
function processorSeconds(processes: readonly number[]): number {
  const own = processes.map((pid) => ticks(pid, OWN));
  return [...own, ticks(process.pid, OF_CHILDREN)].reduce((a, b) => a + b, 0) / TICKS_A_SECOND;
}

function ticks(pid: number, from: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[from]) + Number(fields[from + 1]);
}
