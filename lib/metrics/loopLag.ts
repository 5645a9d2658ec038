import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** How often it is measured while there is work, in milliseconds. */
const EVERY_MS = 10;
/** After so long without work it is no longer measured, in milliseconds. */
const REST_MS = 1000;

const seconds = (nanoseconds: number) => nanoseconds / 1e9;

/** What is told, by the names and the words of prom-client. */
const FIGURES: readonly (readonly [string, string, (delays: RecordableHistogram) => number])[] = [
  ['min', 'The minimum recorded event loop delay.', ({ min }) => min],
  ['max', 'The maximum recorded event loop delay.', ({ max }) => max],
  ['mean', 'The mean of the recorded event loop delays.', ({ mean }) => mean],
  ['stddev', 'The standard deviation of the recorded event loop delays.', ({ stddev }) => stddev],
  ...[50, 90, 99].map(
    (percent) =>
      [
        `p${percent}`,
        `The ${percent}th percentile of the recorded event loop delays.`,
        (delays: RecordableHistogram) => delays.percentile(percent),
      ] as const,
  ),
];

const nameOf = (figure: string) => `nodejs_eventloop_lag_${figure}seconds`;

/**
 * How late the event loop is. prom-client measures it a hundred times a second, for ever; this is measured while there is
 * work to be late with, so that an idle process sleeps. Node's own monitor takes the rest between two times of work for a delay.
 */
export class LoopLag {
  readonly #delays = createHistogram();
  #timer: NodeJS.Timeout | undefined;
  #workedAt = 0;

  /** There was some work: it is measured for a second or two. */
  worked(): void {
    let before = performance.now();
    this.#workedAt = before;
    this.#timer ??= setInterval(() => {
      const now = performance.now();
      this.#delays.record(Math.max(1, Math.round((now - before) * 1e6)));
      before = now;
      if (now - this.#workedAt > REST_MS) this.close();
    }, EVERY_MS).unref();
  }

  /** Measures no more until there is work. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
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
