import { z } from 'zod';
import { JOB_STATES, type JobState } from '../../jobs/states.ts';
import { JOB_ROOT } from '../../records/jobRoot.ts';
import { type JobResource, jobSchema } from './jobSchema.ts';
import { instant, limit, wholeNumber, words } from './schemaParts.ts';

/** A job of which only some members were asked for. */
const jobPartSchema = jobSchema.partial().required({ id: true }).meta({ id: 'JobPart' });

export const countsSchema = z
  .object(
    Object.fromEntries(JOB_STATES.map((state) => [state, z.int()])) as Record<JobState, z.ZodInt>,
  )
  .meta({ id: 'Counts', description: 'How many jobs are in each state.' });

export const jobPageSchema = z
  .object({
    jobs: z.array(z.union([jobSchema, jobPartSchema])),
    next: z
      .string()
      .nullable()
      .meta({ description: 'What `cursor` has to be for the next page; null on the last one.' }),
    counts: countsSchema.optional().meta({
      description: 'Of the jobs that fit but for their `state`; only where it was asked for.',
    }),
    event: z.int().optional().meta({
      description:
        'The number of the newest event when the counts were made: what comes behind it may change them.',
    }),
    serverStartedAt: z.iso.datetime({ precision: 3 }).optional().meta({
      description: 'Since when this server runs; only where counts were asked for.',
    }),
  })
  .meta({ id: 'JobPage' });

const JOB_MEMBERS = Object.keys(jobSchema.shape) as [keyof JobResource, ...(keyof JobResource)[]];

/** A member of a query that may be there several times. */
const labelQuery = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .pipe(z.array(z.string().regex(/^[^=]+=/, 'is not of the form name=value')).max(8));

/** What a list and the events may be narrowed by. */
export const filters = {
  state: words(JOB_STATES).optional().meta({ description: 'States, with commas between.' }),
  auid: z.string().optional(),
  jid: z.string().optional(),
  backend: words(['host', 'ssh', 'container'])
    .optional()
    .meta({ description: 'What runs them, with commas between.' }),
  label: labelQuery.optional().meta({
    description: 'A label `name=value`; given several times, the job has to have each.',
    explode: true,
  }),
  text: z.string().min(1).optional().meta({
    description: 'What the command has in it, with capital and small letters as one.',
  }),
};

export const listQuerySchema = z.strictObject({
  ...filters,
  name: z.string().min(1).max(200).optional().meta({
    description:
      'What the jid is, whole: `*` stands for any characters, `?` for one; capital and small letters are one.',
  }),
  find: z.string().min(1).max(1000).optional().meta({
    description:
      'What the jid or the command has in it, or what the uuid in the id begins with; capital and small letters are one.',
  }),
  since: instant.optional().meta({ description: 'Accepted then or later: RFC 3339.' }),
  until: instant.optional().meta({ description: 'Accepted before: RFC 3339.' }),
  sort: z
    .enum(['newest', 'oldest', '-acceptedAt', 'acceptedAt'])
    .default('newest')
    .meta({ description: 'Which jobs come first; `-acceptedAt` is `newest`.' }),
  limit: limit(1000).default(100),
  cursor: z
    .string()
    .transform((value) => Buffer.from(value, 'base64url').toString('latin1'))
    .pipe(
      z.string().regex(JOB_ROOT, 'is none of this server: take it from "next" of the page before'),
    )
    .optional()
    .meta({
      description: 'Where the page begins: `next` of the one before.',
      // What is sent, and not what is in it.
      pattern: '^[A-Za-z0-9_-]+$',
    }),
  after: z.string().regex(JOB_ROOT, 'is not the whole `id` of a job').optional().meta({
    description:
      'The `id` of a job, which may be gone: the page begins behind it. With the other `sort`: the jobs before it.',
  }),
  offset: wholeNumber.default(0).meta({
    description:
      'How many of the jobs that fit are left out before the first one. With `cursor` none are, and `after` says nothing.',
  }),
  counts: z.literal('1').optional().meta({
    description: '`1`: tell also how many jobs there are in each state.',
  }),
  fields: words(JOB_MEMBERS).optional().meta({
    description:
      'The members that are wanted of each job, with commas between; `id` is always there.',
  }),
});
export type ListQuery = z.infer<typeof listQuerySchema>;
