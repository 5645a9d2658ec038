import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { longestHello } from './helloMeanwhile.ts';
import { type BenchServer, startProgram } from './programs.ts';

interface Crowd {
  readonly listeners: number;
  /** How many of them do not read. */
  readonly silent: number;
  readonly perSecond: number;
}

const CROWDS: readonly Crowd[] = [
  { listeners: 100, silent: 0, perSecond: 10_000 },
  { listeners: 1000, silent: 100, perSecond: 500 },
];
const LOOK_MS = 250;
/** What an event takes in the log, and some more. */
const EVENT_BYTES = 300;

/** Events to many listeners by SSE: how long until all have had all, the memory, how long others wait. */
export async function benchEvents(seconds: number): Promise<void> {
  console.log(
    '| listeners | do not read | events/s | for s | all had after s | MiB to them | memory before MiB | highest in each quarter | after | longest hello ms |',
  );
  console.log(`|${' --: |'.repeat(10)}`);
  for (const crowd of CROWDS) await measure(crowd, seconds);
}

async function measure({ listeners, silent, perSecond }: Crowd, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pman-bench-events-'));
  const server = await startPumped(folder, perSecond, seconds);
  const args = [server.port, listeners, silent, perSecond * seconds].map(String);
  const crowd = spawn(process.execPath, [...process.execArgv, fileOf('listen.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(crowd, 'exit').then(([code]) => {
    if (code !== 0) throw new Error('the listeners have ended before all was there');
  });
  try {
    const lines = linesOf(crowd);
    if ((await lines.next()) !== 'ready') throw new Error('the listeners were not let in');
    const before = memoryMib(server);
    server.process.kill('SIGUSR2');
    // What grows with time is higher in each.
    const quarters = [0, 0, 0, 0];
    const began = performance.now();
    const watch = setInterval(() => {
      const passed = (performance.now() - began) / 1000 / seconds;
      const quarter = Math.min(Math.floor(passed * quarters.length), quarters.length - 1);
      quarters[quarter] = Math.max(quarters[quarter] ?? 0, memoryMib(server));
    }, LOOK_MS);
    const told = lines.next();
    const longest = await longestHello(server.port, Promise.race([told, gone.then(() => told)]));
    clearInterval(watch);
    const { seconds: took, mebi } = JSON.parse(await told) as { seconds: number; mebi: number };
    const cells = [listeners, silent, perSecond, seconds, took.toFixed(1), mebi.toFixed(0)];
    cells.push(before.toFixed(0), quarters.map((value) => value.toFixed(0)).join(', '));
    cells.push(...[memoryMib(server), longest].map((value) => value.toFixed(0)));
    console.log(`| ${cells.join(' | ')} |`);
  } finally {
    crowd.kill();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A pman as source, whose log of events can be filled. */
function startPumped(folder: string, perSecond: number, seconds: number): Promise<BenchServer> {
  const pump = ['--import', new URL('pumpEvents.ts', import.meta.url).href];
  const program = fileURLToPath(new URL('../../bin/pman.ts', import.meta.url));
  // All of them are kept: on a machine that does other work nobody is let go for being slow.
  const kept = Math.max(256, Math.ceil((perSecond * seconds * EVENT_BYTES) / 1024 / 1024));
  const flags = ['--port', '0', '--http', '--verbosity', '0', '--DBpath', join(folder, 'db')];
  flags.push('--keepEventsSize', String(kept));
  const command = [process.execPath, ...process.execArgv, ...pump, program, ...flags];
  return startProgram(
    ['env', `BENCH_EVENTS=${perSecond}`, `BENCH_SECONDS=${seconds}`, ...command],
    /listening on \w+:\/\/127\.0\.0\.1:(\d+)/,
  );
}

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function memoryMib({ process: child }: BenchServer): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** The lines that a program writes; each is waited for. */
function linesOf({ stdout }: ChildProcess): { next(): Promise<string> } {
  const waiting: string[] = [];
  let rest = '';
  stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    waiting.push(...lines);
    stdout.emit('line');
  });
  return {
    async next() {
      while (waiting.length === 0 && stdout !== null) await once(stdout, 'line');
      return waiting.shift() ?? '';
    },
  };
}
