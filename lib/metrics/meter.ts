import { Counter, Histogram, Registry } from 'prom-client';
import { LoopLag } from './loopLag.ts';

const SHORT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LONG_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

/** What came of a call or a try. */
export type CallResult = 'ok' | 'error';

/**
 * What is counted as it happens. Nothing is looked for when somebody asks for the figures. Names, labels and units follow the
 * rules of Prometheus; labels have few values, and none that a client chooses.
 */
export class Meter {
  readonly registry = new Registry();
  readonly loopLag = new LoopLag();
  readonly #onWork: () => void;
  readonly jobsAccepted = this.#counter('pman_jobs_accepted_total', 'Jobs that were accepted.', [
    'backend',
  ]);
  readonly jobsEnded = this.#counter('pman_jobs_ended_total', 'Jobs that have ended.', [
    ...(['backend', 'state', 'reason'] as const),
  ]);
  readonly jobQueue = this.#histogram(
    'pman_job_queue_seconds',
    'From when a job was accepted to when its first part started.',
    ['backend'],
    LONG_SECONDS,
  );
  readonly jobRun = this.#histogram(
    'pman_job_run_seconds',
    'From when the first part of a job started to when its last one ended.',
    ['backend'],
    LONG_SECONDS,
  );
  readonly jobAcceptance = this.#histogram(
    'pman_job_acceptance_seconds',
    'How long it takes until a job is on the disk and its client can be answered.',
    [],
    SHORT_SECONDS,
  );
  readonly outputBytes = this.#counter(
    'pman_job_output_bytes_total',
    'What jobs of this host that have ended had written to their outputs.',
    [],
  );
  readonly webhookTries = this.#counter(
    'pman_webhook_tries_total',
    'Tries to send a webhook; stopped means that the receiver wants no more.',
    ['result'],
  );
  readonly webhooksGivenUp = this.#counter(
    'pman_webhooks_given_up_total',
    'Webhooks that were not taken by the last try.',
    [],
  );
  readonly runnerRestarts = this.#counter(
    'pman_runner_restarts_total',
    'How often the process that runs the jobs of this host had gone while it had some.',
    [],
  );
  readonly engineCalls = this.#counter(
    'pman_engine_calls_total',
    'Calls to the container engine.',
    [...(['call', 'result'] as const)],
  );
  readonly engineSeconds = this.#histogram(
    'pman_engine_call_seconds',
    'How long calls to the container engine take, but for those that follow something.',
    ['call'],
    SHORT_SECONDS,
  );

  /** By method and status: the counter is told when somebody asks for it, for that costs more than a short answer. */
  readonly #answers = new Map<string, Map<number, number>>();

  /** @param onWork told of all work: of requests here, of jobs where they are counted */
  constructor(onWork: () => void = () => undefined) {
    this.#onWork = onWork;
    const answers = this.#answers;
    new Counter({
      name: 'pman_http_requests_total',
      help: 'Requests that were answered.',
      labelNames: ['method', 'code'],
      registers: [this.registry],
      collect() {
        for (const [method, counts] of answers) {
          for (const [code, count] of counts) this.inc({ method, code }, count);
        }
        answers.clear();
      },
    });
    for (const result of ['delivered', 'failed', 'stopped']) this.webhookTries.inc({ result }, 0);
  }

  /** There was some work. */
  worked(): void {
    this.loopLag.worked();
    this.#onWork();
  }

  /** Counts an answer. */
  answered(method: string, status: number): void {
    this.worked();
    let counts = this.#answers.get(method);
    if (counts === undefined) {
      counts = new Map();
      this.#answers.set(method, counts);
    }
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    return new Histogram({
      ...{ name, help, labelNames, buckets: [...buckets] },
      registers: [this.registry],
    });
  }
}
