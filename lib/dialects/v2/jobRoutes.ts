import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadRequestError, PmanError } from '../../errors.ts';
import { KILL_REQUEST } from '../../jobs/causes.ts';
import { removeJobs } from '../../jobs/removal.ts';
import { rootByPiece } from '../../tree/lookup.ts';
import { TreeNode } from '../../tree/node.ts';
import { type ApiContext, type ApiReply, defineRoute } from './apiRoute.ts';
import { jobPage } from './jobPage.ts';
import { jobResource } from './jobResource.ts';
import { jobRequest } from './newJob.ts';
import {
  idSchema,
  jobPageSchema,
  jobSchema,
  killSchema,
  listQuerySchema,
  newJobSchema,
  waitQuerySchema,
} from './schemas.ts';

const NO_SUCH_JOB = { description: 'There is no such job.' };

export const submitJob = defineRoute({
  method: 'POST',
  path: '/api/v2/jobs',
  operation: 'submitJob',
  summary: 'Accepts a job. It is on the disk when the answer comes.',
  body: newJobSchema,
  requestHeaders: {
    'Idempotency-Key':
      'Names the job: with the same key and the same body no second one is made, however often it is sent.',
  },
  answers: {
    201: { description: 'The job was accepted.', schema: jobSchema },
    409: { description: 'The key, or the name of a container job, belongs to another job.' },
  },
  async handle({ body, header }, context) {
    const root = await context.jobs.submit(jobRequest(body, header('idempotency-key')));
    return {
      status: 201,
      headers: [['Location', `/api/v2/jobs/${root}`]],
      body: resource(context, root),
    };
  },
});

export const listJobs = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs',
  operation: 'listJobs',
  summary: 'Lists jobs, a page at a time.',
  query: listQuerySchema,
  answers: { 200: { description: 'A page of jobs.', schema: jobPageSchema } },
  handle: ({ query }, context) => ({ status: 200, body: jobPage(context, query) }),
});

export const getJob = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}',
  operation: 'getJob',
  summary: 'Tells how a job stands; with `wait`, once it has ended.',
  params: idSchema,
  query: waitQuerySchema,
  answers: { 200: { description: 'The job.', schema: jobSchema }, 404: NO_SUCH_JOB },
  handle({ params, query, signal }, context) {
    const root = requireJob(context, params.id);
    const now = (): ApiReply => ({ status: 200, body: resource(context, root) });
    if (query.wait === undefined || !context.jobs.isActive(root)) return now();
    const limitMs = query.wait * 1000;
    return {
      later: async () => {
        const timer = new AbortController();
        const until = AbortSignal.any([signal, timer.signal]);
        const timeUp = sleep(limitMs, undefined, { signal: until }).catch(() => undefined);
        await Promise.race([context.jobs.ended(root), timeUp]);
        timer.abort();
        return now();
      },
    };
  },
});

export const killJob = defineRoute({
  method: 'POST',
  path: '/api/v2/jobs/{id}/kill',
  operation: 'killJob',
  summary: 'Sends a signal to all of a job; what is left after the grace gets SIGKILL.',
  params: idSchema,
  body: killSchema.default({}),
  answers: {
    202: { description: 'The order is on the disk, and the signal was sent.', schema: jobSchema },
    404: NO_SUCH_JOB,
    409: { description: 'The job has ended.' },
  },
  async handle({ params, body }, context) {
    const root = requireJob(context, params.id);
    const graceMs = body.grace === undefined ? context.killGraceMs : body.grace * 1000;
    const order = { signal: signalIn(body.signal ?? 'TERM'), graceMs, cause: KILL_REQUEST };
    if (!(await context.jobs.kill(root, order))) {
      throw new PmanError('conflict', `the job ${root} has ended`);
    }
    return { status: 202, body: resource(context, root) };
  },
});

export const removeJob = defineRoute({
  method: 'DELETE',
  path: '/api/v2/jobs/{id}',
  operation: 'removeJob',
  summary: 'Removes a job that has ended, with all that is kept of it.',
  params: idSchema,
  answers: {
    204: { description: 'It is gone.' },
    404: NO_SUCH_JOB,
    409: { description: 'The job has not ended.' },
  },
  handle({ params }, context) {
    const root = requireJob(context, params.id);
    if (context.jobs.isActive(root)) {
      throw new PmanError('conflict', `the job ${root} has not ended`, {
        hint: `end it first: POST /api/v2/jobs/${root}/kill`,
      });
    }
    removeJobs(context, [root]);
    return { status: 204 };
  },
});

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

function resource({ database, jobs }: ApiContext, root: string) {
  return jobResource(jobs, root, database.tree(root) ?? new TreeNode());
}

/** @throws BadRequestError for what is no signal */
function signalIn(name: string): NodeJS.Signals {
  const found = Object.keys(constants.signals).find(
    (known) => known === name || known === `SIG${name}`,
  );
  if (found !== undefined) return found as NodeJS.Signals;
  throw new BadRequestError(`the body: "signal": ${JSON.stringify(name)} is no signal`, {
    hint: 'name one such as TERM or INT',
  });
}
