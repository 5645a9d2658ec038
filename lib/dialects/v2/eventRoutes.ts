import { BadRequestError, PmanError } from '../../errors.ts';
import type { EventLog } from '../../events/eventLog.ts';
import { JOB_ROOT } from '../../records/jobRoot.ts';
import { rootByPiece } from '../../tree/lookup.ts';
import { type ApiContext, type ApiReply, defineRoute } from './apiRoute.ts';
import { eventPageSchema } from './eventPageSchema.ts';
import { eventPage, eventStream } from './eventStream.ts';
import { eventsQuerySchema } from './eventsQuerySchema.ts';
import { formIn } from './outputStream.ts';
import { problemReply } from './problem.ts';

export const listEvents = defineRoute({
  method: 'GET',
  path: '/api/v2/events',
  operation: 'listEvents',
  summary:
    'Tells what has happened to jobs, each change once and in order: a page, or a stream that goes on. A page begins with the oldest event, a stream with the next one, unless `after` or `Last-Event-ID` says otherwise.',
  query: eventsQuerySchema,
  requestHeaders: {
    Accept: '`text/event-stream` or `application/x-ndjson` for a stream.',
    'Last-Event-ID': 'As `after`: browsers send it when they connect again.',
  },
  answers: {
    200: {
      description: 'Events.',
      schema: eventPageSchema,
      types: ['text/event-stream', 'application/x-ndjson'],
    },
    404: { description: '`id` names no job.' },
    409: { description: '`id` means several jobs.' },
    410: { description: 'Some of the events are no longer kept: look at the jobs anew.' },
  },
  handle({ query: asked, header, signal }, { database, jobs, events, growth, auid }) {
    const { id } = asked;
    const query = {
      ...asked,
      ...(id === undefined ? {} : { id: eventsOf(database, id) }),
      // Who sees only the jobs of one auid hears only of these.
      ...(auid === undefined ? {} : { seenOf: auid }),
    };
    const commandOf = (root: string) => commandIn({ database, jobs }, root);
    const form = formIn(header('accept'));
    const after = lastSeen(header('last-event-id')) ?? query.after;
    try {
      if (form !== undefined) {
        return eventStream(
          { events, growth, commandOf },
          after ?? events.newest,
          query,
          form,
          signal,
        );
      }
    } catch (error) {
      return goneReply(error, events);
    }
    const from = after ?? events.oldest - 1;
    return {
      later: async () => {
        try {
          return { status: 200, body: await eventPage({ events, commandOf }, from, query, signal) };
        } catch (error) {
          return goneReply(error, events);
        }
      },
    };
  },
});

/**
 * The job whose events are asked for: one that is there, by any name that it has in paths, or one that is gone, by its root.
 * @throws PmanError not_found for a name that means nothing: its events would never come
 */
function eventsOf(database: ApiContext['database'], id: string): string {
  const root = rootByPiece(database, id);
  if (root !== undefined && (database.has(root) || JOB_ROOT.test(root))) return root;
  throw new PmanError('not_found', `there is no job ${id.slice(0, 100)}`, {
    hint: 'of a job that was removed give the whole "id"',
  });
}

/** The command of a job, without a look at its record where its summary has all of it. */
function commandIn(
  { database, jobs }: Pick<ApiContext, 'database' | 'jobs'>,
  root: string,
): string | undefined {
  const { cmd, isLong } = database.summary(root) ?? {};
  if (cmd !== undefined && isLong !== true) return cmd;
  const record = database.tree(root);
  return record && jobs.view(record).command;
}

/** Says also in numbers what is still there. */
function goneReply(error: unknown, { oldest, newest }: EventLog): ApiReply {
  if (!(error instanceof PmanError) || error.code !== 'gone') throw error;
  const reply = problemReply(error);
  return { ...reply, body: { ...(reply.body as object), oldest, newest } };
}

/** @throws BadRequestError for what is no number of an event */
function lastSeen(id: string | undefined): number | undefined {
  if (id === undefined || id === '') return undefined;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new BadRequestError(
    `Last-Event-ID: ${JSON.stringify(id.slice(0, 40))} is no number of an event`,
  );
}
