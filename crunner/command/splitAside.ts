import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { SplitOrder } from './runnableParts.ts';

/** Lines up to this length are cut at once: it takes some milliseconds. Starting a thread takes more. */
const SHORT_LENGTH = 8 * 1024;
/** The memory of the thread: that of a line of 1 MiB with a command of one letter behind each other `;`. */
const MEMORY_MIB = 1024;

/** One long line after the other: each takes a processor and much memory. */
let last: Promise<unknown> = Promise.resolve();

/**
 * As `runnableParts`, without holding up this thread for long: a line of 1 MiB may take a second.
 * Rejects with an error when the line is too much for the thread's memory.
 */
export async function splitAside(order: SplitOrder): Promise<readonly string[]> {
  if (order.line.length <= SHORT_LENGTH) {
    const { runnableParts } = await import('./runnableParts.ts');
    return runnableParts(order);
  }
  const parts = last.then(() => inThread(order));
  last = parts.catch(() => undefined);
  return parts;
}

function inThread(order: SplitOrder): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(programFile(), {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
    });
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the thread ended with ${code}`)));
  });
}

/** Beside this file when that is compiled; of the checkout's build when it is not. */
function programFile(): string {
  const beside = fileURLToPath(new URL('./splitWorker.js', import.meta.url));
  if (existsSync(beside)) return beside;
  return fileURLToPath(new URL('../../dist/bin/splitWorker.js', import.meta.url));
}
