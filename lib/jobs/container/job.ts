import { preciseNow } from '../../host/clock.ts';
import type { ContainerLimits } from '../runLimits.ts';
import type { ContainerRecordJob } from './containerRecord.ts';
import type { Handle, Look, Work, WorkRequest } from './engine.ts';

/** How far a container job has come. Between `starting` and `running` only the engine knows whether there is something. */
export type ContainerJobState =
  /** It is on the disk, and waits for its turn. */
  | { readonly kind: 'accepted' }
  /** It waits for a folder of this host. */
  | { readonly kind: 'awaitingFolder'; readonly folder: string }
  /** The engine is being asked for it, or may have been. */
  | { readonly kind: 'starting' }
  | ({ readonly kind: 'running' } & StartedWork)
  /**
   * Somebody has ordered its end, then: in milliseconds since 1970. There is no `work` while the engine is still being asked
   * for it.
   */
  | {
      readonly kind: 'ending';
      readonly cause: string;
      readonly orderedAt?: number | undefined;
      readonly work?: StartedWork | undefined;
    }
  /** Its record has its end. What is left of it at the engine goes: nothing, what the handle says, or perhaps something. */
  | { readonly kind: 'ended'; readonly left: 'nothing' | 'unknown' | StartedWork };

/** What the engine has made of a job. */
export interface StartedWork {
  readonly handle: Handle;
  /** When it was started, in milliseconds since 1970. */
  readonly since: number;
}

/** What does not change of a container job. */
export interface ContainerJobFacts {
  readonly root: string;
  /** What its record shows of the request. */
  readonly recorded: ContainerRecordJob;
  readonly request: WorkRequest;
  readonly limits: ContainerLimits;
}

/** What is under way for a job; each is done once at a time. */
interface InFlight {
  look?: Promise<void> | undefined;
  /** Its last words are read and its end is written. */
  close?: Promise<void> | undefined;
  /** The order to end is being sent. */
  order?: Promise<void> | undefined;
  /** Somebody sees to it that it ends. */
  end?: Promise<void> | undefined;
}

/** A container job that has not ended. Nobody else changes its state. */
export class ContainerJob {
  readonly facts: ContainerJobFacts;
  /** How it stood when it was seen last. */
  seen: Look | undefined;
  readonly inFlight: InFlight = {};
  readonly #cancelled = new AbortController();
  readonly #save: (state: ContainerJobState) => void;
  #state: ContainerJobState;

  /** @param save writes a state to the disk */
  constructor(
    facts: ContainerJobFacts,
    state: ContainerJobState,
    save: (state: ContainerJobState) => void,
  ) {
    this.facts = facts;
    this.#state = state;
    this.#save = save;
    if (state.kind === 'ending') this.#cancelled.abort();
  }

  get state(): ContainerJobState {
    return this.#state;
  }

  get root(): string {
    return this.facts.root;
  }

  get name(): string {
    return this.facts.request.name;
  }

  /** Given once it is not to be started any more. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** What the engine has made; undefined before that is known. */
  get started(): StartedWork | undefined {
    if (this.#state.kind === 'running') return this.#state;
    return this.#state.kind === 'ending' ? this.#state.work : undefined;
  }

  get work(): Work {
    const { name, options } = this.facts.request;
    return { name, handle: this.started?.handle, workers: options.workers ?? 1 };
  }

  /** Why it was ordered to end, in words. */
  get endCause(): string | undefined {
    return this.#state.kind === 'ending' ? this.#state.cause : undefined;
  }

  /** When that was, in milliseconds since 1970; undefined where it is not known. */
  get endOrderedAt(): number | undefined {
    return this.#state.kind === 'ending' ? this.#state.orderedAt : undefined;
  }

  /** Whether the engine has not been asked for it. */
  get isUnasked(): boolean {
    return this.#state.kind === 'accepted' || this.#state.kind === 'awaitingFolder';
  }

  /** Whether its end is written, or is being written. */
  get isOver(): boolean {
    return this.#state.kind === 'ended' || this.inFlight.close !== undefined;
  }

  /** The folder is there, or is not waited for any longer. */
  folderAwaited(): void {
    // Not written: after a restart it is looked for again.
    if (this.#state.kind === 'awaitingFolder') this.#state = { kind: 'accepted' };
  }

  /** The engine is asked for it from now on. */
  starting(): void {
    if (this.isUnasked) this.#to({ kind: 'starting' });
  }

  /** The engine has made it. */
  madeWork(work: StartedWork): void {
    if (this.#state.kind === 'ending') this.#to({ ...this.#state, work });
    else if (this.#state.kind === 'starting') this.#to({ kind: 'running', ...work });
  }

  /**
   * Its end is ordered. The cause counts from now on, since the end may be seen while the order is still being sent. When
   * sending fails, the job is as it was; when it succeeds, the order is on the disk.
   */
  async endBy(cause: string, send: () => Promise<void>): Promise<void> {
    const before = this.#state;
    this.#state = { kind: 'ending', cause, orderedAt: preciseNow(), work: this.started };
    try {
      await send();
      if (this.#state.kind === 'ending') this.#save(this.#state);
      this.#cancelled.abort();
    } catch (error) {
      if (this.#state.kind === 'ending') this.#state = before;
      throw error;
    }
  }

  /** Its record has its end. */
  ended(): void {
    const left = this.isUnasked ? 'nothing' : (this.started ?? 'unknown');
    if (this.#state.kind !== 'ended') this.#state = { kind: 'ended', left };
  }

  #to(state: ContainerJobState): void {
    this.#state = state;
    this.#save(state);
  }
}
