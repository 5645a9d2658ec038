import { z } from 'zod';
import { EVENT_TYPES } from '../../events/event.ts';
import { filters } from './listSchemas.ts';
import { instant, limit, seconds, wholeNumber, words } from './schemaParts.ts';

export const eventsQuerySchema = z.strictObject({
  after: wholeNumber.optional().meta({ description: 'Events behind this number.' }),
  wait: seconds
    .optional()
    .meta({ description: 'For a page, when there are none yet: wait so long for one.' }),
  limit: limit(1000).default(500).meta({ description: 'How many a page has at most.' }),
  type: words(EVENT_TYPES).optional().meta({
    description:
      'Types, with commas between. `output` is told only to streams that name it, at most once a second for a job, and not kept.',
  }),
  id: z
    .string()
    .optional()
    .meta({ description: 'Of one job, as in paths; of one that was removed its whole `id`.' }),
  state: filters.state.meta({ description: 'The states that the job is in after it.' }),
  auid: filters.auid,
  jid: filters.jid,
  backend: filters.backend,
  label: filters.label,
  text: filters.text.meta({
    description:
      'What the command of the job has in it, with capital and small letters as one. Of a job that is removed only the event `removed` can be found so.',
  }),
  since: instant.optional().meta({ description: 'Happened then or later: RFC 3339.' }),
  until: instant.optional().meta({ description: 'Happened before: RFC 3339.' }),
});
export type EventsQuery = z.infer<typeof eventsQuerySchema>;
