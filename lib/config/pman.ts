import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { Retention } from '../jobs/retention.ts';
import type { SshHostsOptions } from '../jobs/sshHosts.ts';
import { firstAddress } from './address.ts';
import { commandOf, type PrintFlag, readSources, type Setting, type Sources } from './sources.ts';

const MEBI = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Node takes a longer time for a timer as one millisecond. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Every setting of pman (protocol f), with its default; those of the original first. */
export const settings = [
  {
    name: 'ip',
    value: 'address',
    help: 'address to listen on (default: 127.0.0.1; with --enableTokenAuth the first that is not loopback)',
    default: '',
  },
  { name: 'port', value: 'number', help: 'port to listen on; 0 takes a free one', default: '5010' },
  { name: 'protocol', value: 'name', help: 'ZeroMQ transport', default: 'tcp' },
  {
    name: 'rawmode',
    value: '0|1',
    help: '1: HTTP; 0: messages of ZeroMQ clients (REQ, DEALER)',
    default: '1',
  },
  {
    name: 'listeners',
    value: 'count',
    help: 'how many requests are worked on at once',
    default: '12',
  },
  { name: 'http', help: 'answer as application/html, with a CORS header', default: false },
  { name: 'debugToFile', help: 'write a debug log to --debugFile', default: false },
  {
    name: 'debugFile',
    value: 'file',
    help: 'the debug log; its folder is made (default: $HOME/tmp/debug-pman.log)',
    default: '',
  },
  {
    name: 'listenerSleep',
    value: 'seconds',
    help: 'accepted for old scripts; nothing sleeps any more',
    default: '0.1',
  },
  {
    name: 'directiveFile',
    value: 'file',
    help: 'a file that brings a command when it appears',
    default: '/tmp/d_msg.json',
  },
  { name: 'DBpath', value: 'folder', help: 'the database of jobs', default: '/tmp/pman' },
  {
    name: 'DBsavePeriod',
    value: 'seconds',
    help: 'how often the database is saved, besides soon after each change',
    default: '60',
  },
  {
    name: 'container-env',
    value: 'name',
    help: 'where jobs with a container go: swarm, docker (an engine without swarm), openshift; anything else is this host',
    default: 'swarm',
  },
  {
    name: 'manager',
    value: 'auto|builtin',
    help: 'auto: services are made by the manager image that a request names; builtin: by pman itself',
    default: 'auto',
  },
  {
    name: 'dockerSocket',
    value: 'file',
    help: "the engine's socket on its own host: what a manager container gets",
    default: '/var/run/docker.sock',
  },
  {
    name: 'verbosity',
    short: 'v',
    value: 'level',
    help: '0: silent; 1: what an operator needs; 2: debug',
    default: '1',
  },
  { name: 'enableTokenAuth', help: 'want a token with every request', default: false },
  {
    name: 'tokenPath',
    value: 'file',
    help: 'the tokens: .cfg or .ini with a section [AUTH TOKENS], or one token a line',
    default: '',
  },
  {
    name: 'configFile',
    value: 'file',
    help: 'settings as ini or .json; keys are these flags',
    default: '',
  },
  { name: 'maxJobs', value: 'count', help: 'how many jobs run at once', default: '256' },
  {
    name: 'maxBodySize',
    value: 'MiB',
    help: 'the largest request body',
    default: '64',
  },
  {
    name: 'killGrace',
    value: 'seconds',
    help: 'how long a killed job has before SIGKILL',
    default: '10',
  },
  {
    name: 'keepDays',
    value: 'days',
    help: 'remove jobs that were accepted longer ago and have ended (default: never)',
    default: '',
  },
  {
    name: 'keepJobs',
    value: 'count',
    help: 'of more jobs that have ended remove the oldest (default: keep all)',
    default: '',
  },
  {
    name: 'keepSize',
    value: 'MiB',
    help: 'while records and outputs take more remove the oldest (default: keep all)',
    default: '',
  },
  {
    name: 'jobsAtExit',
    value: 'leave|end',
    help: 'what becomes of running jobs when pman ends',
    default: 'leave',
  },
  {
    name: 'exportPath',
    value: 'folder',
    help: 'where requests may save and load copies of the database (default: the folder that holds DBpath)',
    default: '',
  },
  {
    name: 'sshHosts',
    value: 'list',
    help: 'hosts to which a run may send its job by ssh (meta.ssh), with commas between: host, host:port, user@host, user@host:port (default: none)',
    default: '',
  },
  {
    name: 'sshIdentity',
    value: 'file',
    help: "the private key for those hosts (default: as ssh's configuration says)",
    default: '',
  },
  {
    name: 'sshKnownHosts',
    value: 'file',
    help: "the keys of those hosts (default: as ssh's configuration says)",
    default: '',
  },
  {
    name: 'fsync',
    help: 'have the disk confirm what is acknowledged: it then survives a power failure too',
    default: false,
  },
] as const satisfies readonly Setting[];

export const printFlags = [
  { name: 'desc', short: 'x', help: 'print a description and end' },
  { name: 'synopsis', short: 'y', help: 'print a synopsis and end' },
  { name: 'version', help: 'print the version and end' },
] as const satisfies readonly PrintFlag[];

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
    ssh: {
      hosts: values.sshHosts,
      identity: values.sshIdentity,
      knownHosts: values.sshKnownHosts,
    },
    fsync: values.fsync,
  });
}
