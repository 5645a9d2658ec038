import { z } from 'zod';
import { eventSchema } from '../../events/event.ts';

export const eventPageSchema = z
  .object({
    events: z.array(eventSchema.meta({ id: 'Event' })),
    next: z.int().meta({ description: 'What `after` has to be for what comes next.' }),
  })
  .meta({ id: 'EventPage' });
