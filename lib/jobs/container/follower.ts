import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ContainerEngine } from './engine.ts';

export interface FollowerOptions {
  readonly engine: () => Promise<ContainerEngine>;
  readonly log: Logger;
  /** Looks at these services, or at all. */
  readonly look: (services: ReadonlySet<string> | 'all') => Promise<void>;
}

/** Beside the events: a task that never got a container, or is on another node, has none. In milliseconds. */
const POLL_MS = 2000;
/** Where an engine answers but tells no events. */
const POLL_WITHOUT_EVENTS_MS = 60_000;
/** Events come in bursts. */
const GATHER_MS = 20;
/** A container's event comes before the swarm's own word about its task: how long after it to look, in milliseconds. */
const ECHOES_MS = [GATHER_MS, 120, 300, 700] as const;
const RETRY_MS = [250, 500, 1000, 2000, 5000] as const;

/** Follows the engine's events as long as there is a job to follow; comes back when the engine does. */
export class ContainerFollower {
  readonly #options: FollowerOptions;
  readonly #closed = new AbortController();
  #session: AbortController | undefined;
  #isListening = false;
  readonly #dirty = new Set<string>();
  #gathering: Promise<void> | undefined;
  /** One look at a time: an engine that is slow must not get more to do. */
  #looking: Promise<void> = Promise.resolve();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Whether the engine is there and tells its events. */
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
        await (await engine()).changes((service) => this.#touch(service, signal), {
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
      const period = this.#isListening ? POLL_MS : POLL_WITHOUT_EVENTS_MS;
      if (Date.now() - lookedAt < period - GATHER_MS) continue;
      lookedAt = Date.now();
      await this.#look('all');
    }
  }

  #touch(service: string, signal: AbortSignal): void {
    for (const ms of ECHOES_MS) {
      void pause(ms - GATHER_MS, signal).then(() => {
        this.#dirty.add(service);
        this.#gathering ??= this.#gather(signal);
      });
    }
  }

  async #gather(signal: AbortSignal): Promise<void> {
    await pause(GATHER_MS, signal);
    await this.#looking;
    const services = new Set(this.#dirty);
    this.#dirty.clear();
    this.#gathering = undefined;
    if (!signal.aborted) await this.#look(services);
  }

  #look(services: ReadonlySet<string> | 'all'): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      try {
        await this.#options.look(services);
      } catch (error) {
        this.#options.log.debug('cannot look at services', { reason: messageOf(error) });
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
