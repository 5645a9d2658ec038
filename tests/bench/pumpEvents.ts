import { EventLog } from '../../lib/events/eventLog.ts';

/**
 * Loaded before pman, as source: with SIGUSR2 its log of events gets BENCH_EVENTS a second for BENCH_SECONDS. So the way from
 * the log to the listeners is that of pman; no jobs could make so many.
 */
const perSecond = Number(process.env.BENCH_EVENTS);
const seconds = Number(process.env.BENCH_SECONDS);
const EVERY_MS = 10;

let log: EventLog | undefined;
const { readAfter } = EventLog.prototype;
EventLog.prototype.readAfter = function (this: EventLog, ...args) {
  log = this;
  return readAfter.apply(this, args);
};

process.on('SIGUSR2', () => {
  const startedAt = performance.now();
  let written = 0;
  const timer = setInterval(() => {
    const passed = Math.min(seconds, (performance.now() - startedAt) / 1000);
    const due = Math.floor(passed * perSecond) - written;
    const events = Array.from({ length: due }, (_, i) => ({
      type: 'started' as const,
      id: '20261129000000.000000_01234567-89ab-4cde-8f01-23456789abcd',
      jid: `bench-${written + i}`,
      auid: 'bench',
      data: { state: 'running', part: 0 },
    }));
    written += due;
    log?.append(events);
    if (passed < seconds) return;
    clearInterval(timer);
    process.stderr.write('all events are written\n');
  }, EVERY_MS);
});
