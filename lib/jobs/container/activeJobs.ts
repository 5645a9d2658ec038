import type { ContainerJob } from './job.ts';

/** The container jobs that have not ended, and who waits for their ends. */
export class ActiveJobs {
  readonly #jobs = new Map<string, ContainerJob>();
  readonly #waiting = new Map<string, Array<() => void>>();
  readonly #onIdle: () => void;

  /** @param onIdle called when the last job has ended */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  add(job: ContainerJob): void {
    this.#jobs.set(job.root, job);
  }

  get(root: string): ContainerJob | undefined {
    return this.#jobs.get(root);
  }

  has(root: string): boolean {
    return this.#jobs.has(root);
  }

  all(): readonly ContainerJob[] {
    return [...this.#jobs.values()];
  }

  named(name: string): ContainerJob | undefined {
    return this.all().find((job) => job.name === name);
  }

  /** Resolves when the job has ended; at once when there is none. */
  async untilEnded(root: string): Promise<void> {
    if (!this.#jobs.has(root)) return;
    await new Promise<void>((resolve) => {
      this.#waiting.set(root, [...(this.#waiting.get(root) ?? []), resolve]);
    });
  }

  /** The job has ended. */
  remove({ root }: ContainerJob): void {
    this.#jobs.delete(root);
    if (this.#jobs.size === 0) this.#onIdle();
    for (const resolve of this.#waiting.get(root) ?? []) resolve();
    this.#waiting.delete(root);
  }
}
