import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Engine } from './engine.ts';

export interface FollowerOptions {
  readonly engine: () => Promise<Engine>;
  readonly log: Logger;
  /** Looks at what has these names, or at all. */
  readonly look: (names: ReadonlySet<string> | 'all') => Promise<void>;
}

/** How often all are looked at beside the changes that the engine tells, which are not all; in milliseconds. */
const POLL_MS = 2000;
/**
 * The same while the engine tells none, in milliseconds: it is most likely away then, and a call to it takes its time to fail.
 * When it is back it is listened to again within 5 seconds, and all are looked at then.
 */
const POLL_WITHOUT_CHANGES_MS = 60_000;
/** Changes come in bursts: how long they are gathered, in milliseconds. */
const GATHER_MS = 20;
/** So many times as long as the last look took they are gathered at least: an engine that is slow has enough to do. */
const REST = 2;
const RETRY_MS = [250, 500, 1000, 2000, 5000] as const;

/** Listens to the engine's changes as long as there is a job to follow; comes back when the engine does. */
export class ContainerFollower {
  readonly #options: FollowerOptions;
  readonly #closed = new AbortController();
  #session: AbortController | undefined;
  #isListening = false;
  readonly #dirty = new Set<string>();
  #gathering: Promise<void> | undefined;
  /** One look at a time: an engine that is slow must not get more to do. */
  #looking: Promise<void> = Promise.resolve();
  /** How long the last look took that was answered. */
  #lookMs = 0;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Whether the engine is there and tells its changes. */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** Begins to follow, if it does not yet. */
  start(): void {
    if (this.#session !== undefined || this.#closed.signal.aborted) return;
    const session = new AbortController();
    this.#session = session;
    setMaxListeners(0, session.signal); // each pause is one
    void this.#listen(session.signal);
    void this.#poll(session.signal);
  }

  /** Nothing is left to follow. */
  stop(): void {
    this.#session?.abort();
    this.#session = undefined;
    this.#isListening = false;
  }

  close(): void {
    this.#closed.abort();
    this.stop();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { engine, log } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await (await engine()).changes((name) => this.#touch(name, signal), {
          signal,
          onOpen: () => {
            if (failures > 0) log.info('the container engine is heard again');
            failures = 0;
            this.#isListening = true;
            void this.#look('all');
          },
        });
      } catch (error) {
        if (failures === 0)
          log.warn('no events of the container engine', { reason: messageOf(error) });
      }
      if (signal.aborted) return;
      this.#isListening = false;
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? POLL_MS, signal);
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    for (let lookedAt = Date.now(); ; ) {
      await pause(POLL_MS, signal);
      if (signal.aborted) return;
      const period = this.#isListening ? POLL_MS : POLL_WITHOUT_CHANGES_MS;
      if (Date.now() - lookedAt < period - GATHER_MS) continue;
      lookedAt = Date.now();
      await this.#look('all');
    }
  }

  #touch(name: string, signal: AbortSignal): void {
    this.#dirty.add(name);
    this.#gathering ??= this.#gather(signal);
  }

  async #gather(signal: AbortSignal): Promise<void> {
    await pause(Math.min(Math.max(GATHER_MS, REST * this.#lookMs), POLL_MS), signal);
    await this.#looking;
    const names = new Set(this.#dirty);
    this.#dirty.clear();
    this.#gathering = undefined;
    if (!signal.aborted) await this.#look(names);
  }

  #look(names: ReadonlySet<string> | 'all'): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const begin = performance.now();
      try {
        await this.#options.look(names);
        this.#lookMs = performance.now() - begin;
      } catch (error) {
        this.#options.log.debug('cannot look at container jobs', { reason: messageOf(error) });
      }
    });
    return this.#looking;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
