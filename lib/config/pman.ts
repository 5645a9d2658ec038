import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { firstAddress } from '../host/address.ts';
import type { SshHostsOptions } from '../jobs/host/sshHosts.ts';
import type { Retention } from '../jobs/retention.ts';
import { printFlags, settings } from './pmanSettings.ts';
import { commandOf, readSources, type Sources } from './sources.ts';

const MEBI = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Node takes a longer time for a timer as one millisecond. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const wholeNumber = (low: number, high: number) =>
  z
    .string()
    .trim()
    .regex(/^-?\d+$/, 'is not a whole number')
    .transform(Number)
    .refine((n) => n >= low && n <= high, `is not between ${low} and ${high}`);
const secondsToMs = z
  .string()
  .trim()
  .regex(/^\d+(\.\d+)?$/, 'is not a number of seconds')
  .transform((text) => Math.round(Number(text) * 1000))
  .refine((ms) => ms <= MAX_TIMER_MS, 'is longer than 24 days');
const path = z
  .string()
  .min(1, 'is empty')
  .transform((text) => resolve(text));
const optionalNumber = z
  .string()
  .trim()
  .regex(/^(\d+(\.\d+)?)?$/, 'is not a number')
  .transform((text) => (text === '' ? undefined : Number(text)));
const optionalPath = z.string().transform((text) => (text === '' ? undefined : resolve(text)));

const schema = z.object({
  ip: z.string(),
  port: wholeNumber(0, 65_535),
  protocol: z.enum(['tcp'], 'has to be "tcp": what else ZeroMQ knows carries no HTTP'),
  rawmode: z.enum(['0', '1'], 'is neither 0 nor 1').transform((text) => text === '1'),
  listeners: wholeNumber(1, 10_000),
  http: z.boolean(),
  debugToFile: z.boolean(),
  debugFile: optionalPath,
  listenerSleep: secondsToMs,
  directiveFile: path,
  DBpath: path,
  DBsavePeriod: secondsToMs.refine((ms) => ms >= 100, 'is less than 0.1 seconds'),
  'container-env': z.string().transform((text) => text.toLowerCase()),
  manager: z.enum(['auto', 'builtin'], 'is neither auto nor builtin'),
  dockerSocket: z.string().startsWith('/', 'is no full path'),
  verbosity: wholeNumber(-10, 10),
  enableTokenAuth: z.boolean(),
  tokenPath: z.string(),
  configFile: z.string(),
  maxJobs: wholeNumber(1, 100_000),
  maxBodySize: wholeNumber(1, 2047).transform((mebi) => mebi * MEBI),
  killGrace: secondsToMs,
  keepDays: optionalNumber,
  keepJobs: optionalNumber,
  keepSize: optionalNumber,
  jobsAtExit: z.enum(['leave', 'end'], 'is neither leave nor end'),
  exportPath: optionalPath,
  fileioStore: optionalPath,
  sshHosts: z.string().transform((text) => text.split(/[\s,]+/).filter((host) => host !== '')),
  sshIdentity: optionalPath,
  sshKnownHosts: optionalPath,
  fsync: z.boolean(),
});

/** What pman was told, checked. Times in milliseconds, sizes in bytes. */
export interface PmanConfig {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
  readonly rawmode: boolean;
  readonly listeners: number;
  readonly httpMode: boolean;
  readonly debugFile: string | undefined;
  readonly directiveFile: string;
  readonly dbPath: string;
  readonly dbSavePeriodMs: number;
  readonly containerEnv: string;
  /** `builtin`: no manager container is ever run. */
  readonly manager: 'auto' | 'builtin';
  readonly dockerSocket: string;
  /** The folder of the engine's host that stands for the parent of every shareDir (STOREBASE). */
  readonly storeBase: string | undefined;
  readonly verbosity: number;
  /** The file of the tokens (may be empty: the original's default place), or undefined when none is wanted. */
  readonly tokenPath: string | undefined;
  readonly maxJobs: number;
  readonly maxBodyBytes: number;
  readonly killGraceMs: number;
  readonly retention: Retention;
  /** Whether running jobs go on when pman ends. */
  readonly jobsAtExit: 'leave' | 'end';
  readonly exportPath: string;
  /** What the endpoints of `fileiosetup` keep to; undefined for a folder of pman's own. */
  readonly fileioStore: string | undefined;
  /** Where jobs may go by ssh, and how. */
  readonly ssh: SshHostsOptions;
  readonly fsync: boolean;
}

export type PmanCommandLine =
  | { readonly kind: 'run'; readonly config: PmanConfig }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'version' | 'desc' | 'synopsis' };

export const command = () =>
  commandOf(
    'pman',
    'Runs commands that other software asks for over HTTP, and remembers every job.',
    settings,
    printFlags,
  );

/**
 * Reads the settings of pman from its flags, `PMAN_*` variables and config file.
 * @throws UsageError naming the setting, and what is wrong with its value
 */
export function readPmanConfig(sources: Omit<Sources, 'prefix'>): PmanCommandLine {
  const raw = readSources(command(), settings, printFlags, 'configFile', {
    ...sources,
    prefix: 'PMAN_',
  });
  if ('kind' in raw) return raw;
  // The synopsis wins over the description, and both over the version (protocol f).
  for (const kind of ['synopsis', 'desc', 'version'] as const) {
    if (raw.printFlags.includes(kind)) return { kind };
  }
  const checked = schema.safeParse(raw.values);
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path: [name], message }) => {
      const value = JSON.stringify(raw.values[String(name)]);
      return `--${String(name)} ${value} ${message}`;
    });
    throw new UsageError(problems.join('; '));
  }
  return { kind: 'run', config: toConfig(checked.data, sources.env) };
}

function toConfig(values: z.infer<typeof schema>, env: Sources['env']): PmanConfig {
  const home = env.HOME ?? '/tmp';
  return Object.freeze({
    ip: values.ip || (values.enableTokenAuth ? firstAddress() : '127.0.0.1'),
    port: values.port,
    protocol: values.protocol,
    rawmode: values.rawmode,
    listeners: values.listeners,
    httpMode: values.http,
    debugFile: values.debugToFile
      ? (values.debugFile ?? resolve(home, 'tmp/debug-pman.log'))
      : undefined,
    directiveFile: values.directiveFile,
    dbPath: values.DBpath,
    dbSavePeriodMs: values.DBsavePeriod,
    containerEnv: values['container-env'],
    manager: values.manager,
    dockerSocket: values.dockerSocket,
    storeBase: env.STOREBASE || undefined,
    verbosity: values.verbosity,
    tokenPath: values.enableTokenAuth ? values.tokenPath : undefined,
    maxJobs: values.maxJobs,
    maxBodyBytes: values.maxBodySize,
    killGraceMs: values.killGrace,
    retention: {
      ageMs: values.keepDays === undefined ? undefined : values.keepDays * DAY_MS,
      count: values.keepJobs,
      bytes: values.keepSize === undefined ? undefined : values.keepSize * MEBI,
    },
    jobsAtExit: values.jobsAtExit,
    exportPath: values.exportPath ?? dirname(values.DBpath),
    fileioStore: values.fileioStore,
    ssh: {
      hosts: values.sshHosts,
      identity: values.sshIdentity,
      knownHosts: values.sshKnownHosts,
    },
    fsync: values.fsync,
  });
}
