import { z } from 'zod';
import { type EventType, KEPT_EVENT_TYPES } from '../events/event.ts';

/** `removed` comes when the job, and so its wish to be told, is gone: endpoints of the server hear of it. */
export const JOB_EVENTS = KEPT_EVENT_TYPES.filter((type) => type !== 'removed');

/** What is told when nobody says. */
export const DEFAULT_EVENTS: readonly EventType[] = ['ended'];
/** The secret that signs when nobody names one. */
export const DEFAULT_SECRET = 'default';

export const secretNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'is no name of up to 64 letters, digits, dots, - and _');

/** Who is to be told what of a job, as a request says it: `meta.notify`, or `notify` of `/api/v2`. */
export const notifySchema = z
  .array(
    z.strictObject({
      url: z.string().min(1, 'is empty').max(2048, 'has more than 2048 characters').meta({
        description: 'Where each event is sent by POST; of a host that the server allows.',
      }),
      events: z
        .array(z.enum(JOB_EVENTS))
        .min(1, 'is empty')
        .optional()
        .meta({ description: 'Default: `ended` alone.' }),
      secretName: secretNameSchema
        .optional()
        .meta({ description: 'The secret of the server that signs; default: `default`.' }),
    }),
  )
  .max(10, 'has more than 10 entries')
  .meta({
    description:
      'Webhooks: who is told of changes of the job, by signed requests (Standard Webhooks).',
  });

export type NotifyEntry = z.infer<typeof notifySchema>[number];
