import { z } from 'zod';
import { EVENT_TYPES } from '../../events/event.ts';
import { filePattern, labels } from '../../jobs/runLimits.ts';
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

const bytes = z.union([
  z.int().min(1024),
  z.string().regex(/^\d+(\.\d+)?([kKMGT]i?)?$/, 'is not like 512Mi'),
]);

/** What a client may call a back-end. */
export const BACKEND_NAMES = ['host', 'swarm', 'docker', 'kubernetes'] as const;

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
    memory: bytes.optional().meta({
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
    backend: z.enum(BACKEND_NAMES).optional().meta({
      description:
        'What is to run it: the job is refused where that is not what this server would take.',
    }),
    labels: z
      .record(z.string(), text)
      .pipe(labels)
      .optional()
      .meta({ description: 'Names and values to find it by; a container gets them, too.' }),
    stdin: text.optional().meta({
      description: 'What it reads as its standard input; not for containers and other hosts.',
    }),
    maxOutput: bytes.optional().meta({
      description: 'The most that each part may write to each of its outputs; beyond it is ended.',
    }),
    files: z.array(z.string().pipe(filePattern)).max(100).optional().meta({
      description:
        'Which files of its working folder are to be had at `/files`: paths with `*`, `?` and `**`.',
    }),
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

const nanoseconds = z.string().regex(/^\d+$/);
const amount = z.union([z.string(), z.number()]).nullable();
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
    labels: z.record(z.string(), z.string()),
    cwd: z.string().nullable(),
    rerunOf: z.string().nullable().meta({ description: 'The job that this one repeats.' }),
    acceptedAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    ns: z
      .object({
        accepted: nanoseconds,
        started: nanoseconds.nullable(),
        ended: nanoseconds.nullable(),
      })
      .meta({ description: 'The same times in nanoseconds since 1970.' }),
    traceparent: z.string().nullable().meta({
      description: 'The trace that it belongs to (W3C Trace Context), as its request named it.',
    }),
    tracestate: z.string().nullable(),
    place: z.int().nullable().meta({ description: 'Its place in the queue, from 1 on.' }),
    limits: limitsSchema
      .nullable()
      .meta({ description: 'Null when it has none, or has not begun.' }),
    asked: z
      .object({
        timeout: z.number().nullable(),
        memory: amount,
        maxOutput: amount,
        nice: z.number().nullable(),
        cpus: amount,
        gpus: amount,
        workers: amount,
      })
      .meta({ description: 'The limits that it was sent with, as they were said.' }),
    usage: z
      .object({
        wallSeconds: z.number().nullable(),
        userSeconds: z.number().nullable(),
        systemSeconds: z.number().nullable(),
        peakMemoryBytes: z.int().nullable(),
      })
      .nullable()
      .meta({ description: 'What its parts have used, as far as that is known.' }),
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
      output: z.string(),
      files: z.string(),
      events: z.string(),
    }),
  })
  .meta({ id: 'Job' });
export type JobResource = z.infer<typeof jobSchema>;

/** A job of which only some members were asked for. */
const jobPartSchema = jobSchema.partial().required({ id: true }).meta({ id: 'JobPart' });

export const jobPageSchema = z
  .object({
    jobs: z.array(z.union([jobSchema, jobPartSchema])),
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
    oldest: z.int().optional().meta({ description: 'With `gone`: the oldest event that is kept.' }),
    newest: z.int().optional().meta({ description: 'With `gone`: the newest event.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

/** What is to be another way when a job is sent again. */
export const changesSchema = newJobSchema.partial().meta({ id: 'JobChanges' });
export type JobChanges = z.infer<typeof changesSchema>;

export const idSchema = z.object({
  id: z.string().meta({ description: 'Of the job.' }),
});

const JOB_MEMBERS = Object.keys(jobSchema.shape) as [keyof JobResource, ...(keyof JobResource)[]];

/** Words with commas between. */
const words = <T extends readonly [string, ...string[]]>(of: T) =>
  z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(of)).min(1));

/** An instant; milliseconds since 1970. */
const instant = z.iso
  .datetime({ offset: true, error: 'is no time of RFC 3339, such as 2026-11-28T12:00:00Z' })
  .transform((value) => Date.parse(value));

/** A member of a query that may be there several times. */
const labelQuery = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .pipe(z.array(z.string().regex(/^[^=]+=/, 'is not of the form name=value')).max(8));

/** What a list and the events may be narrowed by. */
const filters = {
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
    .meta({ description: 'Where the page begins: `next` of the one before.' }),
  fields: words(JOB_MEMBERS).optional().meta({
    description:
      'The members that are wanted of each job, with commas between; `id` is always there.',
  }),
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
  offset: wholeNumber
    .optional()
    .meta({ description: 'How many bytes at the beginning are left out; of what is followed.' }),
});

export const bothQuerySchema = followQuerySchema.extend({
  offset: z
    .string()
    .optional()
    .meta({ description: 'The `id` of the last line that the client has.' }),
});

export const eventsQuerySchema = z.strictObject({
  after: wholeNumber.optional().meta({ description: 'Events behind this number.' }),
  wait: seconds.optional().meta({ description: 'When there are none yet: wait so long for one.' }),
  limit: limit(1000).default(500),
  type: words(EVENT_TYPES).optional().meta({
    description:
      'Types, with commas between. `output` is told only to streams that name it, at most once a second for a job, and not kept.',
  }),
  id: z.string().optional(),
  state: filters.state.meta({ description: 'The states that the job is in after it.' }),
  auid: filters.auid,
  jid: filters.jid,
  backend: filters.backend,
  label: filters.label,
});
export type EventsQuery = z.infer<typeof eventsQuerySchema>;
