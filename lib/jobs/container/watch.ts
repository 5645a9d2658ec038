import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from '../../concurrency/queue.ts';
import { messageOf, PmanError } from '../../errors.ts';
import { recordContainerStatus } from './containerRecord.ts';
import type { ContainerState } from './engine.ts';
import { ContainerFollower } from './follower.ts';
import type { Active, ContainerJobsOptions, ContainerLedger } from './ledger.ts';

/** How many manager containers run at once. */
const LOOKS_AT_ONCE = 4;
/** How often a job is looked at that a client waits for, in milliseconds. */
const AWAITED_LOOK_MS = 2000;
/** How long after SIGKILL a service is removed of which something still runs, in milliseconds. */
const GIVEN_UP_MS = 10_000;

/** Finds out how container jobs stand, writes it into their records, and ends those that are to end. */
export class ContainerWatch {
  readonly #options: ContainerJobsOptions;
  readonly #ledger: ContainerLedger;
  readonly #looks = new Queue(LOOKS_AT_ONCE);
  readonly #follower: ContainerFollower;
  #wasAway = false;

  constructor(options: ContainerJobsOptions, ledger: ContainerLedger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#follower = new ContainerFollower({
      engine: () => ledger.opened(),
      log: options.log,
      look: (services) => this.#heeding(this.#lookAt(services)),
    });
    ledger.onIdle = () => this.#follower.stop();
  }

  /** Whether the engine is known to be there: it tells its events, and has answered when it was asked last. */
  get isHeard(): boolean {
    return this.#follower.isListening && !this.#wasAway;
  }

  /** There is a job to follow. */
  start(): void {
    this.#follower.start();
  }

  close(): void {
    this.#follower.close();
  }

  /** Looks at one job by its own manager; calls at the same time share a look. */
  look(active: Active): Promise<void> {
    active.looking ??= this.#heeding(this.#looks.run(() => this.#lookAtOne(active))).finally(() => {
      active.looking = undefined;
    });
    return active.looking;
  }

  async #lookAtOne(active: Active): Promise<void> {
    if (active.stage !== 'scheduled' || active.isEnding) return;
    const engine = await this.#ledger.opened();
    const { service, options } = active.spooled.request;
    // A manager container tells of one task: of several workers only the engine knows.
    const manager = options.workers === undefined ? active.manager : undefined;
    const state = await engine.manager(manager).state(service);
    if (state !== undefined) await this.#apply(active, state);
    else await this.#gone(active);
  }

  /** Remembers whether the engine was there. */
  async #heeding(look: Promise<void>): Promise<void> {
    try {
      await look;
      this.#wasAway = false;
    } catch (error) {
      this.#wasAway = error instanceof PmanError && error.code === 'unavailable';
      throw error;
    }
  }

  /** Resolves when the job has ended; looks at it meanwhile. */
  async ended(root: string): Promise<void> {
    let isOver = false;
    const over = this.#ledger.untilEnded(root).then(() => {
      isOver = true;
    });
    for (;;) {
      await Promise.race([over, sleep(AWAITED_LOOK_MS, undefined, { ref: false })]);
      const active = this.#ledger.active.get(root);
      if (isOver || active === undefined || this.#ledger.isClosed) return;
      this.#lookSoon(active);
    }
  }

  /** The follower's look: one question for all; a manager container is asked only about what has ended. */
  async #lookAt(services: ReadonlySet<string> | 'all'): Promise<void> {
    const asked = [...this.#ledger.active.values()].filter(
      ({ stage, spooled, isEnding }) =>
        stage === 'scheduled' &&
        !isEnding &&
        (services === 'all' || services.has(spooled.request.service)),
    );
    if (asked.length === 0) return;
    const engine = await this.#ledger.opened();
    const states = await engine.states(
      new Set(asked.map(({ spooled }) => spooled.request.service)),
    );
    await Promise.all(
      asked.map(async (active) => {
        const state = states.get(active.spooled.request.service);
        if (active.manager === undefined && state !== undefined) await this.#apply(active, state);
        else if (state === undefined || state.isFinal) this.#lookSoon(active);
        else await this.#apply(active, state);
      }),
    );
  }

  /** A manager container takes its time, or hangs: nobody waits for it. */
  #lookSoon(active: Active): void {
    this.look(active).catch((error: unknown) => {
      const reason = messageOf(error);
      this.#options.log.debug('cannot look at a job', { job: active.root, reason });
    });
  }

  async #apply(active: Active, state: ContainerState): Promise<void> {
    if (active.isEnding || !this.#ledger.active.has(active.root)) return;
    active.state = state;
    if (!state.isFinal) {
      const record = this.#options.database.edit(active.root);
      if (record) recordContainerStatus(record, state.status, state.cause);
      // Asked for when it could not be done: pman was restarted, the engine away, the service not made yet.
      if (active.killed !== undefined) void this.killAfter(active, 0);
      return;
    }
    active.isEnding = true;
    try {
      const engine = await this.#ledger.opened();
      const logs = await engine.logs(state, this.#options.logLimitBytes);
      // One that has ended well did so by itself, or at least does not want for a cause.
      const isWell = state.status === 'finishedSuccessfully';
      const cause = isWell ? state.cause : (active.killed ?? state.cause);
      this.#ledger.finish(active, { ...state, logs, ...(cause === undefined ? {} : { cause }) });
    } catch (error) {
      active.isEnding = false; // looked at again
      throw error;
    }
  }

  /** Its service is not there any more, and nobody has seen how it ended. */
  async #gone(active: Active): Promise<void> {
    const isKilled = active.killed !== undefined;
    const last = active.state;
    this.#ledger.finish(active, {
      status: isKilled ? 'finishedWithError' : 'undefined',
      logs: '',
      tasks: [],
      ...(last === undefined ? {} : { task: last.task }),
      cause: active.killed ?? 'the service was removed by somebody else',
    });
  }

  /** For what no signal reaches: it waits, or runs on another node. */
  async endByRemoval(active: Active): Promise<void> {
    if (active.isEnding) return;
    const engine = await this.#ledger.opened();
    const { service } = active.spooled.request;
    const state = (await engine.states(new Set([service]))).get(service);
    if (state?.isFinal) return this.#apply(active, state);
    const logs = state === undefined ? '' : await engine.logs(state, this.#options.logLimitBytes);
    if (active.isEnding) return;
    this.#ledger.finish(active, {
      status: 'finishedWithError',
      logs,
      tasks: state?.tasks ?? [],
      ...(state === undefined ? {} : { task: state.task }),
      cause: active.killed ?? 'it was ended',
    });
  }

  /** Waits for the end of a job that was told to, and helps when it does not come. */
  async killAfter(active: Active, graceMs: number): Promise<void> {
    if (active.isKilling) return;
    active.isKilling = true;
    const { log } = this.#options;
    try {
      for (const [signal, ms] of [
        ['SIGKILL', graceMs],
        [undefined, GIVEN_UP_MS],
      ] as const) {
        await Promise.race([this.ended(active.root), sleep(ms, undefined, { ref: false })]);
        if (this.#ledger.isClosed || !this.#ledger.active.has(active.root)) return;
        if (signal === undefined) await this.endByRemoval(active);
        else {
          const engine = await this.#ledger.opened();
          const isReached = await engine.signal(active.spooled.request.service, signal);
          if (!isReached) await this.endByRemoval(active);
        }
      }
    } catch (error) {
      log.warn('a job could not be ended', { job: active.root, reason: messageOf(error) });
    } finally {
      active.isKilling = false;
    }
  }
}
