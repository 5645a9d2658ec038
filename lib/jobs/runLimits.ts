import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { JobLimits } from '../../crunner/job/jobLimits.ts';
import { BadRequestError, systemErrorCode } from '../errors.ts';
import { UNITS } from '../quantity.ts';
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

/** Names and values that clients give to a job, to find it by. */
export const labels = textMap(
  text.max(256, 'has more than 256 characters'),
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
  /** Bytes, or text as for containers: 512Mi, 2Gi, 500M. */
  memory_limit: z.union([text, number('')], 'is neither bytes nor text such as 512Mi').optional(),
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
  stdin: z.union([text, inputDigest], 'is neither a text nor a digest').optional(),
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
  const { timeout, nice, env, cwd, max_output: output } = limits;
  if (cwd !== undefined) requireFolder(cwd, ssh === undefined);
  // With a container the limit is the container's, and clients of the original send it along in any case.
  const memory = container === undefined ? limits.memory_limit : undefined;
  return {
    ...(timeout === undefined ? {} : { timeoutMs: Math.ceil(timeout * 1000) }),
    ...(memory === undefined ? {} : { memoryBytes: bytesOf('memory_limit', memory) }),
    ...(output === undefined ? {} : { maxOutputBytes: bytesOf('max_output', output) }),
    ...(nice === undefined ? {} : { nice }),
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
  };
}

/**
 * How long a container job may take, in milliseconds; undefined: for ever.
 * @throws BadRequestError for what limits jobs of this host only: it is not ignored
 */
export function containerTimeout(limits: LimitMeta): number | undefined {
  const { timeout } = limits;
  for (const [name, instead] of Object.entries(INSTEAD)) {
    if (limits[name as keyof typeof INSTEAD] === undefined) continue;
    throw new BadRequestError(`run: "meta.${name}": is not for container jobs`, { hint: instead });
  }
  return timeout === undefined ? undefined : Math.ceil(timeout * 1000);
}

const INSTEAD = {
  nice: 'give the container less of the processors with meta.cpu_limit',
  env: 'put the variables into meta.container.target.env',
  cwd: 'let the command change the folder, or an image whose folder it is',
  stdin: 'put it into a folder that the container shares, and let the command read it',
  max_output: 'let the command write to a file in a folder that the container shares',
  files: 'let the command write into a folder that the container shares',
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
export function refuseOverSsh({ files, max_output: output }: LimitMeta, input?: Buffer): void {
  const asked = { stdin: input, files, max_output: output };
  const bad = Object.entries(asked).find(([, value]) => value !== undefined)?.[0];
  if (bad === undefined) return;
  throw new BadRequestError(`run: "meta.${bad}": is not for jobs on other hosts`, {
    hint: 'leave it out, or leave out meta.ssh',
  });
}

/** Of another host only the job's own shell can tell what folders it has. */
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

const WHAT: Readonly<Record<string, string>> = { memory_limit: 'memory' };

function bytesOf(member: string, limit: string | number): number {
  const [, digits = '', unit = ''] =
    /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(String(limit).trim()) ?? [];
  const factor = UNITS[unit];
  const bytes = Number(digits) * (factor ?? Number.NaN);
  if (digits !== '' && bytes >= 1024) return Math.floor(bytes);
  throw new BadRequestError(
    `run: "meta.${member}": ${JSON.stringify(limit)} is no amount of ${WHAT[member] ?? 'bytes'}`,
    { hint: 'say 512Mi, 2Gi, 500M or a number of bytes, at least 1Ki' },
  );
}
