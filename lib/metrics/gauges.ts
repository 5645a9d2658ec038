import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { collectDefaultMetrics, Gauge } from 'prom-client';
import { messageOf } from '../errors.ts';
import type { EventLog } from '../events/eventLog.ts';
import type { Logger } from '../log.ts';
import type { JobDatabase } from '../records/database.ts';
import { VERSION } from '../version.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Meter } from './meter.ts';

/** What is known without a search, and told as it is when somebody asks. */
export interface GaugeSources {
  readonly database: JobDatabase;
  readonly events: EventLog;
  readonly webhooks: Pick<Webhooks, 'figures'>;
  readonly listeners: { readonly count: number; readonly busy: number; readonly waiting: number };
  readonly log: Logger;
}

/** Of prom-client's figures of a process: gauges with the ending of counters, which is against the rules. */
const MISNAMED = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

/** How often prom-client measures how late the event loop is: that is told by LoopLag instead. */
const NEVER_MS = 2 ** 31 - 1;

/** Adds the figures that are read when somebody asks, and those of the process. */
export function addGauges({ registry, loopLag }: Meter, sources: GaugeSources): void {
  const { database, events, webhooks, listeners } = sources;
  const gauge = (name: string, help: string, read: () => number) => {
    const collected: Gauge = new Gauge({
      ...{ name, help, registers: [registry] },
      collect: () => collected.set(read()),
    });
  };
  gauge('pman_records', 'Jobs that have a record.', () => database.size.jobs);
  gauge(
    'pman_stored_bytes',
    'About what records and outputs of jobs that have ended take on the disk.',
    () => database.size.bytes,
  );
  gauge('pman_event_log_bytes', 'What the log of events takes on the disk.', () => events.bytes);
  gauge('pman_events', 'The number of the last event.', () => events.newest);
  gauge(
    'pman_event_followers',
    'Streams and requests that follow the events now, and what pman itself follows them with.',
    () => events.followers,
  );
  gauge('pman_listeners', 'Requests that may be worked on at once.', () => listeners.count);
  gauge('pman_listeners_busy', 'Requests that are worked on now.', () => listeners.busy);
  gauge('pman_listeners_waiting', 'Requests that wait for a listener.', () => listeners.waiting);
  gauge('pman_webhooks_waiting', 'Webhooks of jobs that are to be sent.', () => {
    return webhooks.figures.waiting;
  });
  gauge('pman_webhook_unread_events', 'Events that no webhook has been made of yet.', () => {
    return webhooks.figures.unread;
  });
  addBehind(registry, webhooks);
  addDisk(registry, sources);
  const info = new Gauge({
    ...{ name: 'pman_build_info', help: 'The version of pman; its value is 1.' },
    ...{ labelNames: ['version'], registers: [registry] },
  });
  info.set({ version: VERSION }, 1);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  loopLag.tellBy(registry);
}

function addBehind(registry: Meter['registry'], webhooks: GaugeSources['webhooks']): void {
  const behind: Gauge<'endpoint'> = new Gauge({
    name: 'pman_webhook_endpoint_lag_events',
    help: 'By how many events an endpoint of the server is behind.',
    labelNames: ['endpoint'],
    registers: [registry],
    collect: () => {
      for (const { endpoint, events } of webhooks.figures.behind) behind.set({ endpoint }, events);
    },
  });
}

function addDisk(registry: Meter['registry'], { database, log }: GaugeSources): void {
  const gauge = (name: string, help: string, read: (disk: StatsFs) => number) => {
    const collected: Gauge = new Gauge({
      ...{ name, help, registers: [registry] },
      collect: async () => {
        try {
          collected.set(read(await statfs(database.folder)));
        } catch (error) {
          log.warn('the disk of the database cannot be looked at', { reason: messageOf(error) });
        }
      },
    });
  };
  gauge(
    'pman_disk_free_bytes',
    'What pman can still write to the disk of its database.',
    (disk) => {
      return disk.bavail * disk.bsize;
    },
  );
  gauge('pman_disk_size_bytes', 'The size of the disk of the database.', (disk) => {
    return disk.blocks * disk.bsize;
  });
}
