import { z } from 'zod';
import type { Services } from '../actions/action.ts';
import { BadRequestError } from '../errors.ts';
import { stampTime } from '../host/stamps.ts';
import type { JobStatus } from '../jobs/progress.ts';
import { acceptedAt } from '../records/jobRoot.ts';
import type { JsonObject } from '../wire/json.ts';
import { problemsText } from '../wire/problems.ts';

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
  limit: count.default(1000),
});

/**
 * The query of a GET that lists jobs (`/api/v1?…`), or undefined when it asks for something else. A query without any of
 * our parameters is not one: the original lists all jobs then, whatever it says.
 */
export function listQuery(target: string): string | undefined {
  const [path = '', query = ''] = target.split('?', 2);
  const isRoot = path
    .split('/')
    .slice(3)
    .every((piece) => piece === '');
  const isOurs = [...new URLSearchParams(query).keys()].some((name) => name in schema.shape);
  return isRoot && isOurs ? query : undefined;
}

/**
 * The jobs that a query asks for, a page of them: an object by job root with what is known of each, as the list
 * without a query has one with nothing. `total` counts all that fit.
 * @throws BadRequestError naming the parameter that cannot be; PmanError unavailable for what takes all records before they
 * are known
 */
export function jobList(
  { database, jobs }: Pick<Services, 'database' | 'jobs'>,
  query: string,
): { readonly jobs: JsonObject; readonly total: number } {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!parsed.success) {
    const problems = problemsText(
      parsed.error.issues,
      ({ path, message }) => `${path.length > 0 ? `"${path.join('.')}": ` : ''}${message}`,
    );
    throw new BadRequestError(`the query of the list: ${problems}`, {
      hint: `parameters are ${Object.keys(schema.shape).join(', ')}`,
    });
  }
  const { auid, jid, status, since, until, order, offset, limit } = parsed.data;
  if (status !== undefined) database.requireIndex();
  const statusOf = (root: string) => {
    const known = database.summary(root)?.status;
    const record = known === undefined ? database.tree(root) : undefined;
    return known ?? (record === undefined ? 'lost' : jobs.progress(record).status);
  };
  const candidates =
    jid !== undefined
      ? database.find('jid', jid)
      : auid !== undefined
        ? database.find('auid', auid)
        : database.roots();
  const fitting = candidates.filter(
    (root) =>
      (since === undefined || acceptedAt(root) >= since) &&
      (until === undefined || acceptedAt(root) < until) &&
      (auid === undefined || database.summary(root)?.auid === auid) &&
      (status === undefined || statusOf(root) === status),
  );
  if (order === 'newest') fitting.reverse();
  const page = fitting.slice(offset, offset + limit).map((root) => {
    const { jid: id = null, auid: user = null } = database.summary(root) ?? {};
    return [root, { jid: id, auid: user, status: statusOf(root) }] as const;
  });
  return { jobs: Object.fromEntries(page), total: fitting.length };
}
