import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import { messageOf, PmanError } from '../errors.ts';
import type { JobEvent } from '../events/event.ts';
import type { EventLog } from '../events/eventLog.ts';
import { type Backend, backendOf, type JobView } from '../jobs/jobView.ts';
import { reasonOf, stateOf } from '../jobs/states.ts';
import type { Logger } from '../log.ts';
import { acceptedAt } from '../records/jobRoot.ts';
import type { Meter } from './meter.ts';

export interface JobMeterOptions {
  readonly meter: Meter;
  readonly events: EventLog;
  /** How a job stands, by its record; undefined when it has none any more. */
  readonly view: (root: string) => JobView | undefined;
  /** The jobs that wait or run now. */
  readonly active: () => readonly string[];
  /** The events behind this number are counted. */
  readonly after: number;
  /** How long after an error that may pass the events are read again, in milliseconds; default: 5 seconds. */
  readonly retryMs?: number;
  readonly log: Logger;
}

const RETRY_MS = 5000;

interface Active {
  readonly backend: Backend;
  state: 'waiting' | 'running';
}

/** Counts jobs by what is told of them: each change costs a look at one record, and a question nothing. */
export class JobMeter {
  readonly #options: JobMeterOptions;
  readonly #active = new Map<string, Active>();
  readonly #jobs: Gauge<'backend' | 'state'>;
  readonly #ending = new AbortController();

  constructor(options: JobMeterOptions) {
    this.#options = options;
    this.#jobs = new Gauge({
      name: 'pman_jobs',
      help: 'Jobs that wait or run now.',
      labelNames: ['backend', 'state'],
      registers: [options.meter.registry],
    });
    for (const state of ['waiting', 'running']) this.#jobs.set({ backend: 'host', state }, 0);
    for (const root of options.active()) this.#takeUp(root);
    void this.#follow();
  }

  close(): void {
    this.#ending.abort();
  }

  #takeUp(root: string): void {
    const view = this.#options.view(root);
    if (view === undefined || view.isDone) return;
    const state = stateOf(view) === 'waiting' ? 'waiting' : 'running';
    this.#put(root, { backend: backendOf(view), state });
  }

  /** Goes on whatever happens: figures that stand still look like a server at rest. */
  async #follow(): Promise<void> {
    const { events, log, retryMs = RETRY_MS } = this.#options;
    const { signal } = this.#ending;
    let { after } = this.#options;
    for (let failures = 0; ; failures += 1) {
      try {
        for await (const batch of events.follow(after, signal)) {
          for (const { event } of batch) {
            // Not again, also when it cannot be counted.
            after = event.seq;
            this.#count(event);
            this.#options.meter.worked();
          }
          failures = 0;
        }
        return;
      } catch (error) {
        if (error instanceof PmanError && error.code === 'gone') {
          const next = Math.min(events.oldest - 1, events.newest);
          const missed = Math.max(0, next - after);
          log.warn('events are no longer kept that /metrics has not counted', { missed });
          after = next;
          this.#lookAgain();
          continue;
        }
        if (failures === 0) {
          log.warn('jobs are not counted for /metrics just now', { reason: messageOf(error) });
        }
        await sleep(retryMs, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  /** What waits and what runs, by how the jobs stand and not by what is told of them. */
  #lookAgain(): void {
    for (const root of this.#active.keys()) this.#drop(root);
    for (const root of this.#options.active()) this.#takeUp(root);
  }

  #count({ type, id: root, backend: other, data }: JobEvent): void {
    switch (type) {
      case 'accepted':
        this.#options.meter.jobsAccepted.inc({ backend: other ?? 'host' });
        // Also one that has started or ended by now: that is told next.
        this.#put(root, { backend: other ?? 'host', state: 'waiting' });
        return;
      case 'started':
        if (data?.part === 0) this.#started(root);
        return;
      case 'ended':
        this.#ended(root);
        return;
      case 'removed':
        this.#drop(root);
        return;
      case 'waiting':
      case 'part_ended':
      case 'output':
      case 'kill_ordered':
        return;
    }
  }

  #started(root: string): void {
    const view = this.#options.view(root);
    const startedAt = view?.parts[0]?.startedAt ?? Date.now();
    const seconds = (startedAt - acceptedAt(root)) / 1000;
    const backend = this.#backend(root, view);
    this.#options.meter.jobQueue.observe({ backend }, Math.max(0, seconds));
    if (view?.isDone !== true) this.#put(root, { backend, state: 'running' });
  }

  #ended(root: string): void {
    const view = this.#options.view(root);
    const backend = this.#backend(root, view);
    this.#drop(root);
    if (view === undefined) return;
    const { meter } = this.#options;
    const state = stateOf(view);
    meter.jobsEnded.inc({ backend, state, reason: reasonOf(view, state)?.code ?? 'none' });
    const startedAt = view.parts[0]?.startedAt;
    if (typeof startedAt !== 'number') return;
    const endedAt = view.parts.at(-1)?.endedAt ?? Date.now();
    meter.jobRun.observe({ backend }, Math.max(0, endedAt - startedAt) / 1000);
  }

  #backend(root: string, view: JobView | undefined): Backend {
    return this.#active.get(root)?.backend ?? (view === undefined ? 'host' : backendOf(view));
  }

  #put(root: string, active: Active): void {
    this.#drop(root);
    this.#active.set(root, active);
    this.#jobs.inc({ backend: active.backend, state: active.state });
  }

  #drop(root: string): void {
    const known = this.#active.get(root);
    if (known === undefined) return;
    this.#active.delete(root);
    this.#jobs.dec({ backend: known.backend, state: known.state });
  }
}
