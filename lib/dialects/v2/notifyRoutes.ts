import type { Subscription } from '../../webhooks/state.ts';
import { defineRoute } from './apiRoute.ts';
import { rfc3339 } from './jobResource.ts';
import { requireJob } from './jobRoutes.ts';
import { notificationsSchema, notifyAgainSchema, sentAgainSchema } from './notifySchemas.ts';
import { idSchema } from './schemaParts.ts';

export const listNotifications = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}/notifications',
  operation: 'listNotifications',
  summary: 'Tells what came of the webhooks that a job asked for: the last 50 of each receiver.',
  params: idSchema,
  answers: {
    200: { description: 'A receiver each.', schema: notificationsSchema },
    404: { description: 'There is no such job.' },
  },
  handle({ params }, context) {
    const root = requireJob(context, params.id);
    return { status: 200, body: { notifications: context.webhooks.of(root).map(shown) } };
  },
});

export const notifyAgain = defineRoute({
  method: 'POST',
  path: '/api/v2/jobs/{id}/notify',
  deed: 'notify',
  operation: 'notifyAgain',
  summary: 'Sends webhooks of a job again. Each keeps its `webhook-id`.',
  params: idSchema,
  examples: { 'given up': {}, all: { which: 'all' } },
  body: notifyAgainSchema.default({ which: 'given_up' }),
  answers: {
    202: { description: 'They are sent as soon as it is their turn.', schema: sentAgainSchema },
    403: { description: 'This server sends no webhooks.' },
    404: { description: 'There is no such job.' },
  },
  handle({ params, body }, context) {
    const root = requireJob(context, params.id);
    return { status: 202, body: { deliveries: context.webhooks.again(root, body.which) } };
  },
});

function shown({ url, events, secretName, isStopped, deliveries }: Subscription) {
  return {
    url: url.replace(/[?#].*$/s, ''),
    ...{ events, secretName, stopped: isStopped },
    deliveries: deliveries.map(
      ({ seq, type, message, state, tries, triedAt, dueAt, status = null, error = null }) => ({
        ...{ seq, type, webhookId: message, state, tries, status, error },
        lastTryAt: rfc3339(triedAt),
        nextTryAt: rfc3339(dueAt),
      }),
    ),
  };
}
