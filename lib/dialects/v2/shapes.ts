import type { z } from 'zod';
import type { JobEvent } from '../../events/event.ts';
import type {
  eventsQuerySchema,
  jobPageSchema,
  jobSchema,
  killSchema,
  listQuerySchema,
  newJobSchema,
  problemSchema,
} from './schemas.ts';

/** What clients of `/api/v2` send and get, as the schemas say it: types alone, so that a client needs no zod. */

export type { JobEvent };

/** What a job is to be. */
export type NewJob = z.input<typeof newJobSchema>;
export type Job = z.infer<typeof jobSchema>;
export type JobPage = z.infer<typeof jobPageSchema>;
export type KillOrder = z.input<typeof killSchema>;
export type Problem = z.infer<typeof problemSchema>;
/** Which jobs; a list stands in the URL with commas between. */
export type JobQuery = Partial<z.infer<typeof listQuerySchema>>;
/** Which events; `after`: those behind this number. */
export type EventQuery = Partial<Omit<z.infer<typeof eventsQuerySchema>, 'wait' | 'limit'>>;
