import { z } from 'zod';
import { EVENT_TYPES } from '../../events/event.ts';

const time = z.iso.datetime({ precision: 3 }).nullable();

export const notificationsSchema = z
  .object({
    notifications: z.array(
      z.object({
        url: z.string().meta({ description: 'Without its query.' }),
        events: z.array(z.enum(EVENT_TYPES)),
        secretName: z.string(),
        stopped: z.boolean().meta({ description: 'The receiver has answered 410.' }),
        deliveries: z.array(
          z.object({
            seq: z.int().meta({ description: 'The number of the event.' }),
            type: z.enum(EVENT_TYPES),
            webhookId: z.string().meta({ description: 'The same each time that it is sent.' }),
            state: z.enum(['waiting', 'delivered', 'given_up']),
            tries: z.int(),
            lastTryAt: time,
            nextTryAt: time,
            status: z.int().nullable().meta({ description: 'What the receiver answered last.' }),
            error: z.string().nullable(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Notifications' });

export const notifyAgainSchema = z
  .strictObject({
    which: z
      .enum(['given_up', 'all'])
      .default('given_up')
      .meta({ description: 'Events that were given up, or all that are remembered.' }),
  })
  .meta({ id: 'NotifyAgain' });

export const sentAgainSchema = z
  .object({ deliveries: z.int().meta({ description: 'How many are sent again.' }) })
  .meta({ id: 'SentAgain' });
