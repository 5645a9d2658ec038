import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program with these arguments. */
export function startCrunner(args: readonly string[]): ChildProcessWithoutNullStreams {
  if (!existsSync('dist/bin/crunner.cjs')) throw new Error('dist/ is missing: npm run build');
  return spawn(process.execPath, ['dist/bin/crunner.cjs', ...args]);
}

/** Waits for a program to end, with what it wrote. */
export async function resultOf(
  child: ChildProcessWithoutNullStreams,
  input = '',
): Promise<ProgramResult> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined); // a program that does not read its input
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, stderr };
}

export function runCrunner(args: readonly string[], input?: string): Promise<ProgramResult> {
  return resultOf(startCrunner(args), input);
}

/** A whole number that a command writes to a file, with its newline. */
export function numberIn(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: no such process
  }
}
