import { z } from 'zod';
import { JOB_STATES, REASONS, type ReasonCode } from '../../jobs/states.ts';
import { JOB_ROOT } from '../../records/jobRoot.ts';
import { notifySchema } from '../../webhooks/notify.ts';

/**
 * The shapes of `/api/v2`. They check what is sent, the OpenAPI document is made of them, and the tests hold answers to them.
 */

const text = z.string().refine((value) => !value.includes('\0'), 'holds a NUL character');
const word = text.min(1, 'is empty').max(4096, 'has more than 4096 characters');
const texts = z.record(z.string(), text);
const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number)
  .pipe(z.int().min(0));
const limit = (most: number) => wholeNumber.pipe(z.int().min(1).max(most));
const seconds = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?s?$/, 'is not of the form 30s')
  .transform((value) => Number(value.replace('s', '')))
  .pipe(z.number().min(0).max(9999).multipleOf(0.001));

export const newJobSchema = z
  .strictObject({
    command: text
      .min(1, 'is empty')
      .meta({ description: 'A command line. On a host it is split at each `;`.' }),
    jid: word.optional().meta({ description: "The client's own name for the job." }),
    auid: word.optional().meta({ description: 'Who the job is for.' }),
    image: word.optional().meta({
      description: 'Runs the command in containers of this image; without it, on this host.',
    }),
    ssh: word.optional().meta({ description: 'Another host that runs it: `user@host[:port]`.' }),
    shell: z
      .boolean()
      .optional()
      .meta({ description: 'Gives the whole line to one shell, and does not split it.' }),
    cwd: word.optional().meta({ description: 'The folder that it starts in. Not for containers.' }),
    env: texts.optional().meta({ description: 'Environment variables.' }),
    timeout: z
      .number()
      .positive()
      .max(10_000_000)
      .optional()
      .meta({ description: 'Seconds that the whole job may take.' }),
    memory: z
      .union([
        z.int().min(1024),
        z.string().regex(/^\d+(\.\d+)?([kKMGT]i?)?$/, 'is not like 512Mi'),
      ])
      .optional()
      .meta({
        description: 'The most that it may use, at least 6Mi: bytes, or text such as `512Mi`.',
      }),
    nice: z.int().min(-20).max(19).optional().meta({ description: 'Not for containers.' }),
    cpus: z
      .number()
      .positive()
      .max(10_000)
      .optional()
      .meta({ description: 'Processors that it may use, and parts of one. Not over ssh.' }),
    gpus: z.int().min(1).max(1000).optional().meta({ description: 'Containers only.' }),
    workers: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'How many containers run the command.' }),
    user: word.optional().meta({ description: 'Of a container: user, or user:group.' }),
    labels: texts.optional().meta({ description: 'Of a container.' }),
    shareDir: word
      .optional()
      .meta({ description: 'A folder that each container sees as `/share`.' }),
    notify: notifySchema.optional(),
    mounts: z
      .array(
        z.strictObject({
          source: word,
          target: word.startsWith('/', 'is no path in the container'),
          readOnly: z.boolean().default(true),
        }),
      )
      .max(100)
      .optional(),
  })
  .meta({ id: 'NewJob' });
export type NewJob = z.infer<typeof newJobSchema>;

const time = z.iso.datetime({ precision: 3 }).meta({ description: 'RFC 3339, UTC.' });
const exitCode = z.int().nullable().meta({
  description:
    'Exit code; a negative number is that of the signal which ended it; null while it runs, and when nobody knows.',
});

const by = z.enum(['cgroup', 'rlimit', 'affinity']);

/** As the runner writes it down: `EnforcedLimits`. */
export const limitsSchema = z
  .object({
    memory: z.object({ bytes: z.number(), by }).optional(),
    cpu: z.object({ cpus: z.number(), by }).optional(),
    processes: z.object({ count: z.number(), by }).optional(),
  })
  .meta({
    id: 'Limits',
    description:
      'What a job of this host may take, and what holds it to that: its control group (all of it), a limit of each process or user, or the processors that it starts on.',
  });

export const jobSchema = z
  .object({
    id: z.string().meta({ description: 'Its name for ever.' }),
    jid: z.string().nullable(),
    auid: z.string().nullable(),
    command: z.string(),
    backend: z.enum(['host', 'ssh', 'container']),
    image: z.string().nullable(),
    state: z.enum(JOB_STATES),
    reason: z
      .object({ code: z.enum(Object.keys(REASONS) as [ReasonCode]), message: z.string() })
      .nullable(),
    exitCode,
    acceptedAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    traceparent: z.string().nullable().meta({
      description: 'The trace that it belongs to (W3C Trace Context), as its request named it.',
    }),
    tracestate: z.string().nullable(),
    place: z.int().nullable().meta({ description: 'Its place in the queue, from 1 on.' }),
    limits: limitsSchema
      .nullable()
      .meta({ description: 'Null when it has none, or has not begun.' }),
    parts: z.array(
      z.object({
        command: z.string(),
        exitCode,
        cause: z.string().nullable(),
        startedAt: time.nullable(),
        endedAt: time.nullable(),
      }),
    ),
    links: z.object({
      self: z.string(),
      stdout: z.string(),
      stderr: z.string(),
      events: z.string(),
    }),
  })
  .meta({ id: 'Job' });
export type JobResource = z.infer<typeof jobSchema>;

export const jobPageSchema = z
  .object({
    jobs: z.array(jobSchema),
    next: z
      .string()
      .nullable()
      .meta({ description: 'What `cursor` has to be for the next page; null on the last one.' }),
  })
  .meta({ id: 'JobPage' });

export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    hint: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

export const idSchema = z.object({
  id: z.string().meta({ description: 'Of the job.' }),
});

export const listQuerySchema = z.strictObject({
  state: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(JOB_STATES)).min(1))
    .optional()
    .meta({ description: 'States, with commas between.' }),
  auid: z.string().optional(),
  jid: z.string().optional(),
  order: z.enum(['newest', 'oldest']).default('newest'),
  limit: limit(1000).default(100),
  cursor: z
    .string()
    .regex(JOB_ROOT, 'is none of this server: take it from "next" of the page before')
    .optional()
    .meta({ description: 'Where the page begins: `next` of the one before.' }),
});
export type ListQuery = z.infer<typeof listQuerySchema>;

export const waitQuerySchema = z.strictObject({
  wait: seconds.optional().meta({
    description: 'Answer when the job has ended, or after this time at the latest: `30s`.',
  }),
});

export const killSchema = z
  .strictObject({
    signal: z.string().max(20).optional().meta({ description: 'Default: `TERM`.' }),
    grace: z
      .number()
      .min(0)
      .max(86_400)
      .optional()
      .meta({ description: 'Seconds until what is left gets SIGKILL.' }),
  })
  .meta({ id: 'KillOrder' });

export const followQuerySchema = z.strictObject({
  follow: z.enum(['0', '1', 'true', 'false']).optional(),
  part: wholeNumber.pipe(z.int().min(0).max(999_999)).optional(),
});

export const eventsQuerySchema = z.strictObject({
  after: wholeNumber.optional().meta({ description: 'Events behind this number.' }),
  wait: seconds.optional().meta({ description: 'When there are none yet: wait so long for one.' }),
  limit: limit(1000).default(500),
  type: z.string().optional().meta({ description: 'Types, with commas between.' }),
  id: z.string().optional(),
  jid: z.string().optional(),
  auid: z.string().optional(),
});
export type EventsQuery = z.infer<typeof eventsQuerySchema>;
