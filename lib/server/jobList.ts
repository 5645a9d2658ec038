import { z } from 'zod';
import type { Services } from '../actions/action.ts';
import { MAX_ANSWER_CHARACTERS, pageOf } from '../actions/page.ts';
import { freely, inTurns, type Pace } from '../concurrency/turns.ts';
import { BadRequestError } from '../errors.ts';
import { stampTime } from '../host/stamps.ts';
import type { JobStatus } from '../jobs/progress.ts';
import type { JobLook } from '../records/index/jobLook.ts';
import { JobRows } from '../records/index/listedJobs.ts';
import { acceptedAt } from '../records/jobRoot.ts';
import { namesNoJob } from '../tree/lookup.ts';
import { answerLength, COST_OF_VALUE, type JsonValue } from '../wire/json.ts';
import { problemsText } from '../wire/problems.ts';
import type { Page } from '../wire/reply.ts';

const count = z
  .string()
  .regex(/^\d{1,9}$/, 'is not a whole number')
  .transform(Number);

/** A point in time: ISO 8601, or a beginning of a job root's stamp. In milliseconds since 1970. */
const time = z.string().transform((text, context) => {
  if (/^\d{4,14}(\.\d+)?$/.test(text)) return stampTime(text);
  const epochMs = Date.parse(text);
  if (!Number.isNaN(epochMs)) return epochMs;
  context.addIssue({ code: 'custom', message: 'is neither a date nor digits such as 20261122' });
  return z.NEVER;
});

const STATUSES = [
  'notstarted',
  'started',
  'finishedSuccessfully',
  'finishedWithError',
  'lost',
] as const satisfies readonly JobStatus[];

const schema = z.strictObject({
  auid: z.string().optional(),
  jid: z.string().optional(),
  status: z.enum(STATUSES, `is no status; these are: ${STATUSES.join(', ')}`).optional(),
  since: time.optional(),
  until: time.optional(),
  order: z.enum(['oldest', 'newest'], 'is neither oldest nor newest').default('oldest'),
  offset: count.default(0),
  limit: count.refine((value) => value > 0, 'is less than 1').default(1000),
});

/** The query of a GET that lists jobs (`/api/v1?…`), or undefined when it asks for something else. */
export function listQuery(target: string): string | undefined {
  const mark = target.indexOf('?');
  if (mark < 0 || !namesNoJob(target.slice(0, mark))) return undefined;
  return target.slice(mark + 1) || undefined;
}

/**
 * The jobs that a query asks for, a page of them: by job root with what is known of each, as the list
 * without a query has one with nothing; in turns with other work. `total` counts all that fit.
 * @throws BadRequestError naming the parameter that cannot be; PmanError unavailable for what takes all records before they
 * are known
 */
export async function jobList(
  { database, jobs }: Pick<Services, 'database' | 'jobs'>,
  query: string,
  pace: Pace = freely,
): Promise<{ readonly jobs: ReadonlyMap<string, JsonValue>; readonly page: Page }> {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!parsed.success) {
    const problems = problemsText(parsed.error.issues, (issue) =>
      issue.code === 'unrecognized_keys'
        ? `there is no parameter ${issue.keys.slice(0, 5).map(quoted).join(', ')}`
        : `${issue.path.length > 0 ? `"${issue.path.join('.')}": ` : ''}${issue.message}`,
    );
    throw new BadRequestError(`the query of the list: ${problems}`, {
      hint: `parameters are ${Object.keys(schema.shape).join(', ')}`,
    });
  }
  const { auid, jid, status, since, until, order, offset, limit } = parsed.data;
  if (status !== undefined) database.requireIndex();
  const statusOf = (root: string) => {
    const known = database.look(root)?.status;
    const record = known === undefined ? database.tree(root) : undefined;
    return known ?? (record === undefined ? 'lost' : jobs.progress(record).status);
  };
  const candidates =
    jid !== undefined
      ? database.in('jid', jid)
      : auid !== undefined
        ? database.in('auid', auid)
        : database.roots();
  const isAny =
    [since, until, status].every((one) => one === undefined) &&
    (jid === undefined || auid === undefined);
  const fits = (job: JobLook) =>
    (since === undefined || acceptedAt(job.root) >= since) &&
    (until === undefined || acceptedAt(job.root) < until) &&
    (auid === undefined || job.auid === auid) &&
    (status === undefined || (job.status ?? statusOf(job.root)) === status);
  const fitting = isAny ? candidates : await inTurns(chosen(candidates, fits), pace);
  const total = fitting.length;
  const shown = new Map<string, JsonValue>();
  let length = 0;
  for (const root of part(fitting, { order, offset, limit })) {
    if (pace.isOthersTurn) await pace.turn();
    const { jid: id = null, auid: user = null } = database.look(root) ?? {};
    shown.set(root, { jid: id, auid: user, status: statusOf(root) });
    length += root.length + answerLength(id) + answerLength(user) + 2 * COST_OF_VALUE;
    if (length > MAX_ANSWER_CHARACTERS) break;
  }
  const page = pageOf({ from: offset, limit }, total, shown.size);
  return { jobs: shown, page };
}

/** The roots of a page of some jobs. One that is removed before its turn is left out. */
function* part(
  jobs: JobRows | readonly string[],
  { order, offset, limit }: { order: 'oldest' | 'newest'; offset: number; limit: number },
): Generator<string, void, undefined> {
  const isUpward = order === 'oldest';
  const end = Math.max(0, jobs.length - offset);
  const [from, to] = isUpward ? [offset, offset + limit] : [Math.max(0, end - limit), end];
  if (jobs instanceof JobRows) {
    for (const { root } of jobs.part(from, to).looks({ isUpward })) yield root;
  } else {
    const roots = jobs.slice(from, to);
    yield* isUpward ? roots : roots.reverse();
  }
}

function* chosen(jobs: JobRows, fits: (job: JobLook) => boolean): Generator<void, string[], void> {
  const found: string[] = [];
  let looks = 0;
  for (const job of jobs.looks()) {
    if (fits(job)) found.push(job.root);
    looks += 1;
    // A look at the clock takes as long as a look at a job.
    if (looks % 64 === 0) yield;
  }
  return found;
}

const quoted = (name: string) => JSON.stringify(name.slice(0, 80));
