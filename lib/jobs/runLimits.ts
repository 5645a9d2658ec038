import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { JobLimits } from '../../crunner/job/jobLimits.ts';
import { BadRequestError, systemErrorCode } from '../errors.ts';
import { memoryBytesOf, processorsOf, UNITS } from '../quantity.ts';
import { ExactNumber, type JsonValue } from '../wire/json.ts';
import { programText, text } from '../wire/request.ts';
import { textMap, variables } from '../wire/textMap.ts';

/** A number of JSON, also one that was kept as its text. */
const number = (message: string) =>
  z
    .custom<JsonValue>(
      (value) => typeof value === 'number' || value instanceof ExactNumber,
      message,
    )
    .transform((value) => (value instanceof ExactNumber ? Number(value.text) : Number(value)));

/** What came along with a request, as its meta names it. */
export const inputDigest = z.looseObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is no digest'),
  bytes: number('is no number of bytes'),
});

const LABEL_NAME = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const MAX_LABELS = 64;
const MAX_LABEL_VALUE = 256;

/** Names and values that clients give to a job, to find it by. */
export const labels = textMap(
  programText.max(MAX_LABEL_VALUE, `has more than ${MAX_LABEL_VALUE} characters`),
  'is not an object of strings',
).superRefine((value, context) => {
  const bad = Object.keys(value).find((name) => !LABEL_NAME.test(name));
  if (bad !== undefined) {
    const message = `${JSON.stringify(bad.slice(0, 80))} is no name: 1 to 63 of A-Z a-z 0-9 . _ / -`;
    context.addIssue({ code: 'custom', message });
  }
  if (Object.keys(value).length > MAX_LABELS) {
    context.addIssue({ code: 'custom', message: `has more than ${MAX_LABELS}` });
  }
});

/** The same, in the words of JSON Schema. */
export const LABELS_SHAPE = {
  type: 'object',
  maxProperties: MAX_LABELS,
  propertyNames: { type: 'string', pattern: LABEL_NAME.source },
  additionalProperties: { type: 'string', maxLength: MAX_LABEL_VALUE },
};

/** A path below the working folder, in which a star stands for what is in a name, and two for folders. */
export const filePattern = text.refine(
  (pattern) =>
    pattern.length <= 1000 &&
    pattern.split('/').length <= 32 &&
    pattern.split('/').every((name) => !['', '.', '..'].includes(name)),
  'is no path below the working folder, such as out/*.txt',
);

/** The members of a `run`'s meta that limit a job on this host. */
export const limitFields = {
  /** Seconds that the whole job may take. */
  timeout: number('is not a number of seconds')
    .refine(
      (seconds) => seconds > 0 && seconds <= 10_000_000,
      'is not above 0 and at most 10,000,000 seconds',
    )
    .optional(),
  /** As for containers: 512Mi, 2Gi; a number below a million is MiB. */
  memory_limit: z
    .union([text, number('')], 'is neither a number nor text such as 512Mi')
    .optional(),
  /** As for containers: 500m, 0.5, 2; a number from 100 on is thousandths. */
  cpu_limit: z
    .union([text, number(''), z.null()], 'is neither a number nor text such as 500m')
    .optional(),
  nice: z
    .number('is not a number')
    .int('is not a whole number')
    .min(-20, 'is less than -20')
    .max(19, 'is more than 19')
    .optional(),
  env: variables(programText)
    .refine(
      (env) => Object.keys(env).every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)),
      'has a name of other characters than A-Z, a-z, 0-9 and _, or with a digit in front',
    )
    .optional(),
  cwd: programText.optional(),
  /** What the job reads: a text, or the digest of what came along with the request. */
  stdin: z.union([programText, inputDigest], 'is neither a text nor a digest').optional(),
  /** How much each part may write to each of its streams: bytes, or text such as 10Mi. */
  max_output: z.union([text, number('')], 'is neither bytes nor text such as 10Mi').optional(),
  labels: labels.optional(),
  /** Which files of its working folder are to be had of it: patterns. */
  files: z.array(filePattern, 'is no list of patterns').max(100, 'has more than 100').optional(),
} as const;

/** These members, checked. */
export type LimitMeta = z.infer<z.ZodObject<typeof limitFields>>;

/**
 * The limits of a job on this host, or on the one that `ssh` names.
 * @throws BadRequestError for a memory limit or a folder that cannot be
 */
export function hostLimits({
  limits,
  container,
  ssh,
}: {
  readonly limits: LimitMeta;
  readonly container?: unknown;
  readonly ssh?: unknown;
}): JobLimits {
  const { timeout, nice, env, cwd, cpu_limit: cpu, max_output: output } = limits;
  if (cwd !== undefined) requireFolder(cwd, ssh === undefined);
  // With a container the limit is the container's, and clients of the original send it along in any case.
  const isOwn = container === undefined;
  const memory = isOwn ? limits.memory_limit : undefined;
  const cpus = isOwn && cpu !== undefined && cpu !== null ? cpusOf(cpu) : undefined;
  return {
    ...(timeout === undefined ? {} : { timeoutMs: Math.ceil(timeout * 1000) }),
    ...(memory === undefined ? {} : { memoryBytes: bytesOf(memory) }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(output === undefined ? {} : { maxOutputBytes: outputBytesOf(output) }),
    ...(nice === undefined ? {} : { nice }),
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
  };
}

/** What a container job is held to by pman, whatever the engine, and where it starts. */
export interface ContainerLimits {
  /** A folder of the container. */
  readonly cwd?: string | undefined;
  /** How long it may take from when it was started, in milliseconds; absent: for ever. */
  readonly timeoutMs?: number | undefined;
  /** How much each of its containers may write, in bytes. */
  readonly maxOutputBytes?: number | undefined;
}

/**
 * @param takes the members of a job that the back-end takes, as `/api/v2` calls them
 * @throws BadRequestError for others: they are not ignored
 */
export function containerLimits(limits: LimitMeta, takes: readonly string[]): ContainerLimits {
  for (const [name, [member, instead]] of Object.entries(INSTEAD)) {
    if (takes.includes(member) || limits[name as keyof typeof INSTEAD] === undefined) continue;
    const message = `run: "meta.${name}": is not for container jobs here`;
    throw new BadRequestError(message, { hint: instead });
  }
  const { timeout, cwd, max_output: output } = limits;
  if (cwd !== undefined) requireFolder(cwd, false);
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeout === undefined ? {} : { timeoutMs: Math.ceil(timeout * 1000) }),
    ...(output === undefined ? {} : { maxOutputBytes: outputBytesOf(output) }),
  };
}

/** The members of a meta that not every back-end takes: what a job of `/api/v2` calls it, and what to do instead. */
const INSTEAD = {
  nice: ['nice', 'give the container less of the processors with meta.cpu_limit'],
  // The `env` of a job of /api/v2 is that of its container.
  env: ['meta.env', 'put the variables into meta.container.target.env'],
  stdin: ['stdin', 'put it into a folder that the container shares, and let the command read it'],
  max_output: ['maxOutput', 'let the command write to a file in a folder that it shares'],
  files: ['files', 'let the command write into a folder that the container shares'],
} as const;

/**
 * What a job is to read; undefined: nothing.
 * @throws BadRequestError for a digest without what it is of
 */
export function inputOf({
  limits: { stdin },
  input,
}: {
  readonly limits: LimitMeta;
  readonly input?: Buffer | undefined;
}): Buffer | undefined {
  if (typeof stdin === 'string') return Buffer.from(stdin);
  if (stdin === undefined || input !== undefined) return stdin && input;
  throw new BadRequestError('run: "meta.stdin": what it is a digest of did not come along', {
    hint: 'send the input itself, as a text',
  });
}

/** @throws BadRequestError for what only a job of this host can have: it is not ignored */
export function refuseOverSsh({ files }: LimitMeta): void {
  if (files === undefined) return;
  throw new BadRequestError('run: "meta.files": is not for jobs on other hosts', {
    hint: 'let the command write to its output, or leave out meta.ssh',
  });
}

/** Of another host, and of an image, only the job itself can tell what folders it has. */
function requireFolder(cwd: string, isHere: boolean): void {
  if (isAbsolute(cwd) && (!isHere || isFolder(cwd))) return;
  const wanted = isHere ? 'folder of this host' : 'absolute path';
  throw new BadRequestError(
    `run: "meta.cwd": ${JSON.stringify(cwd.slice(0, 80))} is no ${wanted}`,
    {
      hint: 'name an absolute path that exists',
    },
  );
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    // Whatever the system has against the path: it is not there, not reachable, too long.
    if (systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

/** Bytes, or a text such as 10Mi. */
function outputBytesOf(limit: string | number): number {
  const [, digits = '', unit = ''] =
    /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(String(limit).trim()) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (digits !== '' && bytes >= 1024) return Math.floor(bytes);
  throw new BadRequestError(
    `run: "meta.max_output": ${JSON.stringify(limit)} is no amount of bytes`,
    { hint: 'say 10Mi, 500k or a number of bytes, at least 1Ki' },
  );
}

/** Less is too little for a shell; an engine takes no less either. */
const MIN_BYTES = 6 * 1024 * 1024;

function bytesOf(limit: string | number): number {
  const bytes = memoryBytesOf(String(limit).trim());
  if (bytes !== undefined && bytes >= MIN_BYTES) return bytes;
  throw new BadRequestError(
    `run: "meta.memory_limit": ${JSON.stringify(limit)} is no amount of memory, or less than 6Mi`,
    { hint: 'say 512Mi, 2Gi, 500M, a number of MiB, or one of bytes (a million and more)' },
  );
}

/** Nothing, and 0, are no limit, as for containers. */
function cpusOf(limit: string | number): number | undefined {
  const text = String(limit).trim();
  const processors = text === '' ? 0 : processorsOf(text);
  if (processors !== undefined) return processors || undefined;
  throw new BadRequestError(
    `run: "meta.cpu_limit": ${JSON.stringify(limit)} is no number of processors`,
    { hint: 'say 500m, 0.5 or 2, or a number of thousandths (100 and more)' },
  );
}

/** What the server allows every job of this host at most. */
export type JobMaxima = Pick<JobLimits, 'memoryBytes' | 'cpus' | 'maxOutputBytes' | 'maxProcesses'>;

/** The limits of a job that asks for these: no more than the server allows, and that where it does not ask. */
export function within(asked: JobLimits, maxima: JobMaxima): JobLimits {
  const least = (name: keyof JobMaxima) => {
    const numbers = [asked[name], maxima[name]].filter((number) => number !== undefined);
    return numbers.length === 0 ? {} : { [name]: Math.min(...numbers) };
  };
  return {
    ...asked,
    ...{ ...least('memoryBytes'), ...least('cpus') },
    ...{ ...least('maxOutputBytes'), ...least('maxProcesses') },
  };
}
