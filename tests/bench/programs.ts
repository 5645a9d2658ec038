import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A server that a benchmark has started. */
export interface BenchServer {
  readonly process: ChildProcess;
  readonly port: number;
  /** Ends it, and removes the folder that was its own. */
  stop(): Promise<void>;
}

/** Of those that were started and have not ended. */
const running = new Set<ChildProcess>();
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** However this process ends, by a signal, a fault or at its end, so does what it has started. */
function endWithMe(child: ChildProcess): void {
  if (process.listenerCount('exit', endAll) === 0) {
    process.on('exit', endAll);
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.once(signal, () => void allEnded().then(() => process.exit(code)));
    }
  }
  running.add(child);
  child.once('exit', () => running.delete(child));
}

function endAll(): void {
  for (const child of running) child.kill('SIGTERM');
}

async function allEnded(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'exit'));
  endAll();
  await Promise.all(ends);
}

/** Starts a program and waits until its output shows a port: the first group of `port`. */
export async function startProgram(command: readonly string[], port: RegExp): Promise<BenchServer> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  endWithMe(child);
  const exited = once(child, 'exit');
  let output = '';
  const found = new Promise<number>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const [, digits] = port.exec(output) ?? [];
        if (digits !== undefined) resolve(Number(digits));
      });
    }
  });
  const ended = exited.then(() => {
    throw new Error(`${command.join(' ')} ended: ${output}`);
  });
  const number = await Promise.race([found, ended]);
  ended.catch(() => undefined);
  return {
    process: child,
    port: number,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Starts the built pman on a folder that stays, or on one of its own. */
export async function startPman(
  flags: readonly string[] = [],
  place?: string,
): Promise<BenchServer & { readonly folder: string }> {
  const folder = place ?? mkdtempSync(join(tmpdir(), 'pman-bench-'));
  const program = fileURLToPath(new URL('../../dist/bin/pman.js', import.meta.url));
  const server = await startProgram(
    [
      process.execPath,
      program,
      ...['--port', '0', '--http', '--DBpath', join(folder, 'db'), '--verbosity', '0'],
      ...['--directiveFile', join(folder, 'd_msg.json'), ...flags],
    ],
    /listening on \w+:\/\/127\.0\.0\.1:(\d+)/,
  );
  return {
    ...server,
    folder,
    stop: async () => {
      await server.stop();
      if (place === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a benchmark runs on, and how busy that is with other work: figures of a busy machine say less. */
export function machine(): string {
  const [processor] = cpus();
  const load = loadavg()[0]?.toFixed(1);
  return `${processor?.model}, ${cpus().length} processors, Node ${process.version}, load ${load}`;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
