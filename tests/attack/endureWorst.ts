import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHellos } from '../helpers/hellos.ts';
import type { WorstRequest } from './worstRequests.ts';

/** A server that was started with tests/fixtures/busyTime.cjs. */
export interface Watched {
  readonly pid: number;
  readonly port: number;
  /** What it has written to standard error. */
  stderr(): string;
}

/** What one worst request has cost. */
export interface Cost {
  /** The longest time that the main thread worked without a turn for others. Milliseconds of processor time. */
  readonly busyMs: number;
  /** The longest `hello` meanwhile; on a busy machine this is a queue for the processor too. */
  readonly helloMs: number;
  /** MiB that it had more, at most. */
  readonly moreMib: number;
  /** The status of the answer; undefined when the connection was closed without. */
  readonly status: number | undefined;
}

const HELLO_EVERY_MS = 5;
const QUIET_MS = 100;
/** What is never finished has cost all that it will when no more of it is taken. */
const UNFINISHED_MS = 3000;

/** `NODE_OPTIONS` of a server that is watched. */
export const WATCHING = `--require ${join(import.meta.dirname, '../fixtures/busyTime.cjs')}`;

/** Sends a request as often as it says, and measures what it costs the others. */
export async function endure(server: Watched, worst: WorstRequest): Promise<Cost> {
  const bytes = worst.bytes();
  const hellos = await startHellos(server.port, HELLO_EVERY_MS);
  await busyMs(server);
  const before = memoryMib(server.pid).now;
  forgetPeak(server.pid);
  const sent = Array.from({ length: worst.times ?? 1 }, () => send(server.port, bytes, worst));
  const [status] = await Promise.all(sent);
  const times = await hellos.stop();
  return {
    busyMs: await busyMs(server),
    helloMs: Math.max(...times),
    moreMib: Math.max(0, memoryMib(server.pid).peak - before),
    status,
  };
}

/** Resolves with the status of the first answer, when the server is done with the connection or has answered. */
function send(port: number, bytes: Buffer, { unfinished = false }: WorstRequest) {
  return new Promise<number | undefined>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let status: number | undefined;
    let quiet: NodeJS.Timeout | undefined;
    const done = () => {
      socket.destroy();
      resolve(status);
    };
    socket.on('data', (chunk) => {
      status ??= Number(/^HTTP\/1\.\d (\d+)/.exec(chunk.toString('latin1', 0, 20))?.[1]);
      // More answers may come, to more requests on the connection.
      clearTimeout(quiet);
      if (!unfinished) quiet = setTimeout(done, QUIET_MS);
    });
    socket.on('error', () => undefined).on('close', done);
    socket.write(bytes);
    if (unfinished) void sleep(UNFINISHED_MS).then(done);
  });
}

/** The longest work since this was asked the last time. */
export async function busyMs({ pid, stderr }: Watched): Promise<number> {
  const from = stderr().length;
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    const found = /busy ([\d.]+) ms/.exec(stderr().slice(from));
    if (found !== null) return Number(found[1]);
    await sleep(5);
  }
}

function memoryMib(pid: number): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  const of = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

/** The highest so far is forgotten (proc(5)); where that is not allowed, it is told. */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {}
}
