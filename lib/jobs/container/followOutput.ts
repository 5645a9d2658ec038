import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { PmanError } from '../../errors.ts';
import type { Engine, Worker } from './engine.ts';
import type { ContainerJob } from './job.ts';

export interface OutputParts {
  readonly engine: () => Promise<Engine>;
  /** The job; undefined when it has ended. */
  readonly active: () => ContainerJob | undefined;
  /** Resolves when it has ended; asked once. */
  readonly ended: () => Promise<void>;
  /** Whether it is an output that containers have: both their streams are one. */
  readonly hasOutput: boolean;
  /** What its record holds of its output then. */
  readonly recorded: () => string;
}

/** How often it is looked whether another container has started, or the engine is back, in milliseconds. */
const LOOK_MS = 250;

/**
 * All that a container job has written and writes, as it comes, until it has ended: a worker's to its end, then that of the
 * next that has started. What could not be followed, on another node, comes at the end, as the record has it.
 */
export async function* followOutput(
  parts: OutputParts,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const ended = parts.ended();
  if (!parts.hasOutput) return orAborted(ended, signal);
  const sent = new Map<string, number>();
  const over = new Set<string>();
  for (let active = parts.active(); active !== undefined && !signal.aborted; ) {
    for (const worker of active.seen?.workers ?? []) {
      if (over.has(worker.id)) continue;
      try {
        for await (const bytes of outputOf(await parts.engine(), worker, sent, signal)) yield bytes;
        if (sent.has(worker.id)) over.add(worker.id);
      } catch (error) {
        if (!(error instanceof PmanError)) throw error;
        break; // tried again from there
      }
    }
    await Promise.race([ended, sleep(LOOK_MS, undefined, { ref: false })]);
    active = parts.active();
  }
  if (signal.aborted) return;
  const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
  yield Buffer.from(parts.recorded()).subarray(total);
}

/** What one worker writes, behind what was sent of it before. */
async function* outputOf(
  engine: Engine,
  worker: Worker,
  sent: Map<string, number>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const unread = new AbortController();
  const either = AbortSignal.any([signal, unread.signal]);
  const pipe = new PassThrough();
  const before = sent.get(worker.id) ?? 0;
  engine
    .follow(worker, {
      from: before,
      signal: either,
      onOpen: () => sent.set(worker.id, before),
      write: async (bytes) => {
        if (!pipe.write(bytes)) await once(pipe, 'drain', { signal: either });
      },
    })
    .then(
      () => pipe.end(),
      (error: Error) => pipe.destroy(either.aborted ? undefined : error),
    );
  try {
    for await (const chunk of pipe) {
      const bytes = chunk as Buffer; // nothing else is written into it
      sent.set(worker.id, (sent.get(worker.id) ?? 0) + bytes.length);
      yield bytes;
    }
  } finally {
    unread.abort();
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  await Promise.race([
    work,
    new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
  ]);
}
