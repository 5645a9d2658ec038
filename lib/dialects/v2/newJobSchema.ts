import { z } from 'zod';
import { filePattern, LABELS_SHAPE, labels } from '../../jobs/runLimits.ts';
import { notifySchema } from '../../webhooks/notify.ts';
import { bytes, text, texts, word } from './schemaParts.ts';

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
    cwd: word
      .optional()
      .meta({ description: 'The folder that it starts in: of the host, or of the container.' }),
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
      .meta({ description: 'Processors that it may use, and parts of one; over ssh, whole ones.' }),
    gpus: z.int().min(1).max(1000).optional().meta({ description: 'Of each container.' }),
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
    labels: labels.optional().meta({
      description: 'Names and values to find it by; a container gets them, too.',
      ...LABELS_SHAPE,
    }),
    stdin: text.optional().meta({
      description: 'What it reads as its standard input. Not on a swarm.',
    }),
    maxOutput: bytes.optional().meta({
      description:
        'The most that each part may write to each of its outputs, or each container to both; beyond it the job is ended.',
    }),
    files: z.array(z.string().pipe(filePattern)).max(100).optional().meta({
      description:
        'Which files of its working folder, or of the folder that containers share, are to be had at `/files`: paths with `*`, `?` and `**`.',
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

const { command, ...others } = newJobSchema.shape;

/** Members that may be null, too. */
function clearable<Shape extends z.ZodRawShape>(shape: Shape) {
  const members = Object.entries(shape).map(([name, member]) => [name, z.nullable(member)]);
  return Object.fromEntries(members) as {
    [Name in keyof Shape]: z.ZodNullable<Shape[Name]>;
  };
}

/**
 * What is to be another way when a job is sent again: a merge patch of its members (RFC 7396), null takes one away. What has
 * members of its own is taken whole: a label that is not named in new labels is gone.
 */
export const changesSchema = z
  .strictObject({ command: command.optional(), ...clearable(others) })
  .meta({
    id: 'JobChanges',
    description: 'What is named is another way; null takes a member away, as if it had never been.',
  });
/** What such changes set. */
export type JobChanges = Partial<NewJob>;
/** A member that they can take away. */
export type JobMember = keyof typeof others;
