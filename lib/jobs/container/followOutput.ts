import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { PmanError } from '../../errors.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ContainerEngine } from './engine.ts';
import type { Active } from './ledger.ts';

export interface OutputParts {
  readonly engine: () => Promise<ContainerEngine>;
  /** The job; undefined when it has ended. */
  readonly active: () => Active | undefined;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
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
  const sent = new Map<unknown, number>();
  const over = new Set<unknown>();
  for (let active = parts.active(); active !== undefined && !signal.aborted; ) {
    for (const task of active.state?.tasks ?? []) {
      if (over.has(task.ID)) continue;
      try {
        for await (const bytes of outputOf(await parts.engine(), task, sent, signal)) yield bytes;
        if (sent.has(task.ID)) over.add(task.ID);
      } catch (error) {
        if (!(error instanceof PmanError)) throw error;
        break; // tried again from there
      }
    }
    await Promise.race([parts.ended, sleep(LOOK_MS, undefined, { ref: false })]);
    active = parts.active();
  }
  if (signal.aborted) return;
  const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
  yield Buffer.from(parts.recorded()).subarray(total);
}

/** What one task writes, behind what was sent of it before. */
async function* outputOf(
  engine: ContainerEngine,
  task: JsonObject,
  sent: Map<unknown, number>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const unread = new AbortController();
  const either = AbortSignal.any([signal, unread.signal]);
  const pipe = new PassThrough();
  const before = sent.get(task.ID) ?? 0;
  engine
    .follow(task, {
      from: before,
      signal: either,
      onOpen: () => sent.set(task.ID, before),
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
      sent.set(task.ID, (sent.get(task.ID) ?? 0) + bytes.length);
      yield bytes;
    }
  } finally {
    unread.abort();
  }
}
