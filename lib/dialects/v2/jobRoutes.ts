import { setTimeout as sleep } from 'node:timers/promises';
import { type Soon, whenThere } from '../../concurrency/soon.ts';
import { BadRequestError, PmanError } from '../../errors.ts';
import { rootByPiece } from '../../tree/lookup.ts';
import { TreeNode } from '../../tree/node.ts';
import type { JsonObject } from '../../wire/json.ts';
import { type ApiContext, type ApiReply, defineRoute } from './apiRoute.ts';
import { isKnownTag } from './entityTag.ts';
import { jobCounts } from './jobCounts.ts';
import { jobPage } from './jobPage.ts';
import { jobSchema, waitQuerySchema } from './jobSchema.ts';
import { jobText } from './jobText.ts';
import { killSchema } from './killSchema.ts';
import { jobPageSchema, listQuerySchema } from './listSchemas.ts';
import { runMeta, withInput } from './newJob.ts';
import { changesSchema, newJobSchema } from './newJobSchema.ts';
import { partsOfChanges, rerunMeta } from './rerun.ts';
import { idSchema } from './schemaParts.ts';
import { requireTaken } from './whoRunsIt.ts';

/** What can be asked about a job that was accepted. */
const OF_A_JOB = [
  ...['getJob', 'killJob', 'rerunJob', 'getStdout', 'getStderr', 'getOutput', 'listFiles'],
];

const NO_SUCH_JOB = { description: 'There is no such job.' };

export const submitJob = defineRoute({
  method: 'POST',
  path: '/api/v2/jobs',
  deed: 'run',
  operation: 'submitJob',
  summary: 'Accepts a job. It is on the disk when the answer comes.',
  body: newJobSchema,
  examples: {
    command: { command: 'echo hello' },
    shell: {
      ...{ command: 'sort | uniq -c', shell: true, stdin: 'b\na\nb\n', jid: 'count-1' },
      ...{ auid: 'ana', env: { LC_ALL: 'C' }, labels: { project: 'letters' } },
      ...{ timeout: 60, maxOutput: '1Mi' },
    },
    files: { command: 'date > out.txt', cwd: '/tmp', files: ['out.txt'] },
  },
  takesInput: true,
  requestHeaders: {
    'Idempotency-Key':
      'Names the job: with the same key and the same body no second one is made, however often it is sent.',
  },
  answers: {
    201: { description: 'The job was accepted.', schema: jobSchema, links: OF_A_JOB },
    409: { description: 'The key, or the name of a container job, belongs to another job.' },
  },
  handle({ body, header, input }, context) {
    requireTaken(context.jobs, body);
    const { auid, jobs } = context;
    const { runsImagesHere } = jobs;
    const meta = runMeta(body, keyIn(header), { auid, runsImagesHere });
    return accepted(context, withInput(meta, input), input);
  },
});

export const listJobs = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs',
  operation: 'listJobs',
  summary: 'Lists jobs, a page at a time.',
  query: listQuerySchema,
  answers: { 200: { description: 'A page of jobs.', schema: jobPageSchema } },
  async handle({ query }, context) {
    if (query.counts === undefined) return { status: 200, body: await jobPage(context, query) };
    // What happens from now on is told behind this number.
    const event = context.events.newest;
    const counts = await jobCounts(context, query);
    const page = await jobPage(context, query);
    const serverStartedAt = new Date(context.startedAtMs).toISOString();
    return { status: 200, body: page.with({ counts, event, serverStartedAt }) };
  },
});

export const getJob = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}',
  operation: 'getJob',
  summary:
    'Tells how a job stands; with `wait`, once it has ended, or once it is another than the one of `If-None-Match`.',
  params: idSchema,
  query: waitQuerySchema,
  requestHeaders: { 'If-None-Match': 'The `ETag` of the answer that the client has.' },
  answers: { 200: { description: 'The job.', schema: jobSchema }, 404: NO_SUCH_JOB },
  handle(call, context) {
    const { params, query } = call;
    const root = requireJob(context, params.id);
    const now = (): ApiReply => ({ status: 200, body: jobText(context, root) });
    if (query.wait === undefined || !context.jobs.isActive(root)) return now();
    const limitMs = query.wait * 1000;
    return {
      later: async () => {
        const timer = new AbortController();
        const until = AbortSignal.any([call.signal, timer.signal]);
        const timeUp = sleep(limitMs, undefined, { signal: until }).catch(() => undefined);
        const known = call.header('if-none-match');
        const isNews = () => !isKnownTag(known, jobText(context, root).tag);
        const over = [context.jobs.ended(root), timeUp];
        const changed = known === undefined ? [] : [untilNews(context, root, isNews, until)];
        await Promise.race([...over, ...changed]);
        timer.abort();
        return now();
      },
    };
  },
});

/** Resolves when a job that something happens to is another one, or the signal is given. */
async function untilNews(
  { events }: Pick<ApiContext, 'events'>,
  root: string,
  isNews: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const told = events.follow(events.newest, signal);
  // Behind the number: what happens from here on is an event.
  if (isNews()) return;
  try {
    for await (const batch of told) {
      if (batch.some(({ event }) => event.id === root) && isNews()) return;
    }
  } catch (error) {
    // So much has happened that the events are gone: whoever asks looks again.
    if (!(error instanceof PmanError)) throw error;
  }
}

export const killJob = defineRoute({
  method: 'POST',
  path: '/api/v2/jobs/{id}/kill',
  deed: 'kill',
  operation: 'killJob',
  summary: 'Sends a signal to all of a job; what is left after the grace gets SIGKILL.',
  params: idSchema,
  body: killSchema.default({}),
  examples: { asked: { signal: 'TERM', grace: 5 }, 'at once': { signal: 'KILL' } },
  answers: {
    202: { description: 'The order is on the disk, and the signal was sent.', schema: jobSchema },
    404: NO_SUCH_JOB,
    409: {
      description:
        'The job has ended; or it has not started yet, and the signal is one that ends nothing.',
    },
  },
  async handle({ params, body }, context) {
    const root = requireJob(context, params.id);
    const { status, error } = await context.act('kill', {
      ...{ key: 'jobRoot', value: root },
      ...(body.signal === undefined ? {} : { signal: body.signal }),
      ...(body.grace === undefined ? {} : { grace: body.grace }),
    });
    if (status !== true) throw error ?? new PmanError('conflict', `the job ${root} has ended`);
    return { status: 202, body: jobText(context, root) };
  },
});

export const rerunJob = defineRoute({
  method: 'POST',
  path: '/api/v2/jobs/{id}/rerun',
  operation: 'rerunJob',
  deed: 'run',
  summary:
    'Accepts the same job again; what the body names is another way, and what it names as null is left out.',
  params: idSchema,
  body: changesSchema.default({}),
  examples: {
    same: {},
    longer: { timeout: 120, labels: { try: '2' } },
    unlimited: { timeout: null, memory: null },
  },
  takesInput: true,
  requestHeaders: { 'Idempotency-Key': 'Names the new job, as for a job that is sent.' },
  answers: {
    201: { description: 'The new job was accepted.', schema: jobSchema, links: OF_A_JOB },
    404: NO_SUCH_JOB,
    409: { description: 'Its input is no longer kept, or the key belongs to another job.' },
  },
  async handle({ params, body, header, input: sent }, context) {
    context.permit('GET');
    const root = requireJob(context, params.id);
    const view = context.jobs.view(context.database.tree(root) ?? new TreeNode());
    const { ssh } = view.asked();
    const { set, gone } = partsOfChanges(body);
    const isInContainer = view.isContainer && !gone.has('image');
    const isBySsh = typeof ssh === 'string' && !gone.has('ssh');
    requireTaken(context.jobs, set, {
      image: set.image ?? (isInContainer ? '' : undefined),
      ssh: set.ssh ?? (isBySsh ? ssh : undefined),
    });
    const { meta, needsInput } = rerunMeta(view, set, {
      ...{ root, key: keyIn(header), auid: context.auid, gone, isNew: sent !== undefined },
      runsImagesHere: context.jobs.runsImagesHere,
    });
    const input = needsInput ? context.jobs.input(root) : sent;
    if (needsInput && input === undefined) {
      throw new PmanError('conflict', `the input of the job ${root} is no longer kept`, {
        hint: 'send it along as "stdin"',
      });
    }
    return accepted(context, needsInput ? meta : withInput(meta, input), input);
  },
});

export const removeJob = defineRoute({
  method: 'DELETE',
  path: '/api/v2/jobs/{id}',
  deed: 'delete',
  operation: 'removeJob',
  summary: 'Removes a job that has ended, with all that is kept of it.',
  params: idSchema,
  answers: {
    204: { description: 'It is gone.' },
    404: NO_SUCH_JOB,
    409: { description: 'The job has not ended.' },
  },
  async handle({ params }, context) {
    const root = requireJob(context, params.id);
    await context.act('delete', { key: 'jobRoot', value: root });
    return { status: 204 };
  },
});

/**
 * The key that names a job, where the request has one.
 * @throws BadRequestError for an empty one: whoever forgot to give his a value would get the job of another
 */
function keyIn(header: (name: string) => string | undefined): string | undefined {
  const key = header('idempotency-key');
  if (key !== '') return key;
  throw new BadRequestError('Idempotency-Key: is empty', {
    hint: 'give each new job a key of its own, or leave the header out',
  });
}

/** Has the job accepted; its place and how it stands is the answer. */
function accepted(
  context: ApiContext,
  meta: JsonObject,
  input: Buffer | undefined,
): Soon<ApiReply> {
  return whenThere(context.act('run', meta, input), ({ jobs: [root = ''] = [] }) => ({
    status: 201,
    headers: [['Location', `/api/v2/jobs/${root}`]],
    body: jobText(context, root),
  }));
}

/**
 * The root of the job that a path names.
 * @throws PmanError not_found when there is none
 */
export function requireJob({ database }: ApiContext, id: string): string {
  const root = rootByPiece(database, id);
  if (root !== undefined && database.has(root)) return root;
  throw new PmanError('not_found', `there is no job ${id.slice(0, 100)}`, {
    hint: 'GET /api/v2/jobs lists the jobs',
  });
}
