import { z } from 'zod';
import { JOB_STATES, REASONS, type ReasonCode } from '../../jobs/states.ts';
import { seconds } from './schemaParts.ts';

const time = z.iso.datetime({ precision: 3 }).meta({ description: 'RFC 3339, UTC.' });
const exitCode = z.int().nullable().meta({
  description:
    'Exit code; a negative number is that of the signal which ended it; null while it runs, and when nobody knows.',
});

const nanoseconds = z.string().regex(/^\d+$/);
const amount = z.union([z.string(), z.number()]).nullable();
/** What holds a job to a limit. */
export const enforcerSchema = z.enum(['cgroup', 'rlimit', 'affinity']);

/** As the runner writes it down: `EnforcedLimits`. */
export const limitsSchema = z
  .object({
    memory: z.object({ bytes: z.number(), by: enforcerSchema }).optional(),
    cpu: z.object({ cpus: z.number(), by: enforcerSchema }).optional(),
    processes: z.object({ count: z.number(), by: enforcerSchema }).optional(),
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
    shell: z.boolean().meta({ description: 'Whether one shell is given the whole line.' }),
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
      .meta({
        description:
          'The limits that it was sent with. Of memory and processors as the record has them: `65536Ki`, `500m`.',
      }),
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

/** How a job is asked for. */
export const waitQuerySchema = z.strictObject({
  wait: seconds.optional().meta({
    description:
      'Answer when the job has ended, or after this time at the latest: `30s`. With `If-None-Match`, also when it has changed.',
  }),
});
