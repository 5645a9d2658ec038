import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** How often it is measured while there is work, in milliseconds. */
const EVERY_MS = 10;
/** After so long without work it is no longer measured, in milliseconds. */
const REST_MS = 1000;

const seconds = (nanoseconds: number) => nanoseconds / 1e9;

/** What is told, by the names and the words of prom-client. */
const FIGURES: readonly (readonly [string, string, (delays: IntervalHistogram) => number])[] = [
  ['min', 'The minimum recorded event loop delay.', ({ min }) => min],
  ['max', 'The maximum recorded event loop delay.', ({ max }) => max],
  ['mean', 'The mean of the recorded event loop delays.', ({ mean }) => mean],
  ['stddev', 'The standard deviation of the recorded event loop delays.', ({ stddev }) => stddev],
  ...[50, 90, 99].map(
    (percent) =>
      [
        `p${percent}`,
        `The ${percent}th percentile of the recorded event loop delays.`,
        (delays: IntervalHistogram) => delays.percentile(percent),
      ] as const,
  ),
];

const nameOf = (figure: string) => `nodejs_eventloop_lag_${figure}seconds`;

/**
 * How late the event loop is. prom-client measures it a hundred times a second, for ever; this is measured while there is
 * work to be late with, so that an idle process sleeps.
 */
export class LoopLag {
  readonly #delays = monitorEventLoopDelay({ resolution: EVERY_MS });
  #timer: NodeJS.Timeout | undefined;
  #hasWorked = false;

  /** There was some work: it is measured for a second or two. */
  worked(): void {
    this.#hasWorked = true;
    if (this.#timer !== undefined) return;
    this.#delays.enable();
    this.#timer = setInterval(() => {
      if (!this.#hasWorked) this.close();
      this.#hasWorked = false;
    }, REST_MS).unref();
  }

  /** Measures no more until there is work. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#delays.disable();
  }

  /** Adds the gauges, in the place of those that prom-client has: what was measured since they were last asked for. */
  tellBy(registry: Registry): void {
    for (const name of ['', ...FIGURES.map(([figure]) => `${figure}_`)].map(nameOf)) {
      registry.removeSingleMetric(name);
    }
    const now: Gauge = new Gauge({
      ...{ name: nameOf(''), help: 'Lag of event loop in seconds.', registers: [registry] },
      collect: async () => {
        const isEmpty = this.#delays.count === 0;
        for (const [gauge, read] of gauges) gauge.set(isEmpty ? 0 : seconds(read(this.#delays)));
        this.#delays.reset();
        const startedAt = performance.now();
        await new Promise(setImmediate);
        now.set((performance.now() - startedAt) / 1000);
      },
    });
    const gauges = FIGURES.map(
      ([figure, help, read]) =>
        [new Gauge({ name: nameOf(`${figure}_`), help, registers: [registry] }), read] as const,
    );
  }
}
