import { z } from 'zod';

/** What can happen to a job. */
export const EVENT_TYPES = [
  'accepted',
  'waiting',
  'started',
  'part_ended',
  'output',
  'kill_ordered',
  'ended',
  'removed',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** Those that have a number and are on the disk: how an output grows is told to those alone who listen at that time. */
export const KEPT_EVENT_TYPES = EVENT_TYPES.filter((type) => type !== 'output');

/** A change of a job, as it is kept and as clients are told. */
export const eventSchema = z.object({
  /** One more than that of the event before; it goes on through restarts. */
  seq: z.int().positive(),
  /** When it was written down: RFC 3339, UTC, with milliseconds. */
  time: z.string(),
  type: z.enum(EVENT_TYPES),
  /** The job's root. */
  id: z.string(),
  jid: z.string().optional(),
  auid: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** What runs the job, where it is not this host. */
  backend: z.enum(['ssh', 'container']).optional(),
  /** What there is to say about this change. */
  data: z.record(z.string(), z.unknown()).optional(),
});

export type JobEvent = Readonly<z.infer<typeof eventSchema>>;

/** A change that is to be written down. */
export type NewEvent = Omit<JobEvent, 'seq' | 'time'>;

/** An event and its line of JSON, which is written once, however many read it. */
export interface LoggedEvent {
  readonly event: JobEvent;
  readonly line: string;
}

/** The event that a line holds; undefined for a line that a crash has cut or somebody has garbled. */
export function eventIn(line: string): LoggedEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const parsed = eventSchema.safeParse(value);
  return parsed.success ? { event: parsed.data, line } : undefined;
}
