import type { z } from 'zod';
import type { JobEvent } from '../../events/event.ts';
import type { backendsSchema } from './backendsSchema.ts';
import type { eventPageSchema } from './eventPageSchema.ts';
import type { eventsQuerySchema } from './eventsQuerySchema.ts';
import type { fileListSchema } from './fileListSchema.ts';
import type { fileStoreSchema } from './fileStoreSchema.ts';
import type { jobSchema } from './jobSchema.ts';
import type { killSchema } from './killSchema.ts';
import type {
  findQuerySchema,
  foundLinesSchema,
  linesQuerySchema,
  outputLinesSchema,
} from './lineSchemas.ts';
import type { jobPageSchema, listQuerySchema } from './listSchemas.ts';
import type { changesSchema, newJobSchema } from './newJobSchema.ts';
import type { notificationsSchema, notifyAgainSchema, sentAgainSchema } from './notifySchemas.ts';
import type { problemSchema } from './problemSchema.ts';
import type { runningSchema } from './runningSchema.ts';
import type { capabilitiesSchema, serverSchema } from './serverSchemas.ts';

/**
 * What clients of `/api/v2` send and get, as the schemas say it: types alone, so that a client needs no zod. They are those
 * of files that hold schemas and nothing else: the types of routes are of Node, which is not there for pages.
 */

export type { JobEvent };

/** What a job is to be. */
export type NewJob = z.input<typeof newJobSchema>;
/** What of a job is to be another way when it is sent again. */
export type JobChanges = z.input<typeof changesSchema>;
export type Job = z.infer<typeof jobSchema>;
export type JobPage<Member extends keyof Job = keyof Job> = Omit<
  z.infer<typeof jobPageSchema>,
  'jobs'
> & { jobs: Pick<Job, Member>[] };
export type KillOrder = z.input<typeof killSchema>;
export type FileList = z.infer<typeof fileListSchema>;
export type Capabilities = z.infer<typeof capabilitiesSchema>;
/** Whether each of what runs jobs could run one now. */
export type Backends = z.infer<typeof backendsSchema>;
export type ServerFacts = z.infer<typeof serverSchema>;
/** Lines of what a job has written. */
export type OutputLines = z.infer<typeof outputLinesSchema>;
export type OutputLine = OutputLines['lines'][number];
export type FoundLines = z.infer<typeof foundLinesSchema>;
/** Which lines. */
export type LinesQuery = Partial<Omit<z.infer<typeof linesQuerySchema>, 'wait'>> & {
  /** For how many seconds the answer may wait for more. */
  readonly wait?: number;
};
export type FindQuery = Omit<Partial<z.infer<typeof findQuerySchema>>, 'ignoreCase'> & {
  readonly ignoreCase?: boolean;
};
/** What came of the webhooks of a job. */
export type Notifications = z.infer<typeof notificationsSchema>;
/** Which of them are sent again. */
export type NotifyAgain = z.input<typeof notifyAgainSchema>;
export type SentAgain = z.infer<typeof sentAgainSchema>;
export type RunningJobs = z.infer<typeof runningSchema>;
export type FileStore = z.infer<typeof fileStoreSchema>;
export type Problem = z.infer<typeof problemSchema>;
/** Which jobs, and which members of them; whole ones without `fields`. */
export type JobQuery<Member extends keyof Job = keyof Job> = Asked<
  Partial<Omit<z.infer<typeof listQuerySchema>, 'fields'>>
> & { readonly fields?: readonly Member[] };
/** Events that have happened, and where the next ones begin. */
export type EventPage = Omit<z.infer<typeof eventPageSchema>, 'events'> & { events: JobEvent[] };
/** Which events; `after`: those behind this number. */
export type EventQuery = Asked<Partial<Omit<z.infer<typeof eventsQuerySchema>, 'wait' | 'limit'>>>;

/** What is checked as milliseconds is asked for as a time of RFC 3339. */
type Asked<Query> = {
  [Name in keyof Query]: Name extends 'since' | 'until' ? string | Date : Query[Name];
};
