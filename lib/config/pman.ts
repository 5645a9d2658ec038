import { resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { TlsPlaces } from '../host/tlsFiles.ts';
import { type LogFormat, logFormats } from '../log.ts';
import { memoryBytesOf, processorsOf } from '../quantity.ts';
import { defaultDatabase, homeOf } from './databasePlace.ts';
import { type KubernetesSettings, kubernetesSchema, toKubernetes } from './kubernetes.ts';
import { hostList, originList } from './pages.ts';
import { settings } from './pmanSettings.ts';
import {
  address,
  optionalNumber,
  optionalPath,
  optionalQuantity,
  path,
  secondsToMs,
  someNumber,
  umask,
  wholeNumber,
} from './settingForms.ts';
import type { SettingValues } from './settingValues.ts';
import { type CommandLine, commandOf, readSettings, type Sources } from './sources.ts';
import { tlsPlacesOf } from './tls.ts';

const MEBI = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Where jobs with a container go; `host` runs their commands on this host. */
const ENVIRONMENTS: ReadonlySet<string> = new Set([
  ...['swarm', 'docker', 'openshift', 'kubernetes', 'host'],
]);

const schema = z.object({
  ip: address,
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
  'container-env': z
    .string()
    .transform((text) => text.toLowerCase())
    .refine((name) => ENVIRONMENTS.has(name), `is none of ${[...ENVIRONMENTS].join(', ')}`),
  manager: z.enum(['auto', 'builtin'], 'is neither auto nor builtin'),
  dockerSocket: z.string().startsWith('/', 'is no full path'),
  ...kubernetesSchema,
  verbosity: wholeNumber(-10, 10),
  logFormat: z.enum(logFormats, 'is neither text nor json'),
  enableTokenAuth: z.boolean(),
  tokenPath: z.string(),
  auditLog: optionalPath,
  auditLogSize: wholeNumber(1, 1_000_000),
  allowOrigin: originList(),
  allowHost: hostList(),
  tlsCert: optionalPath,
  tlsKey: optionalPath,
  tlsClientCA: optionalPath,
  configFile: z.string(),
  maxJobs: wholeNumber(1, 100_000),
  maxBodySize: wholeNumber(1, 2047).transform((mebi) => mebi * MEBI),
  killGrace: secondsToMs,
  keepDays: optionalNumber,
  keepJobs: optionalNumber,
  keepSize: optionalNumber,
  keepEventsDays: someNumber,
  keepEventsSize: someNumber,
  jobUser: z.string(),
  maxOutput: optionalNumber,
  maxProcesses: optionalNumber,
  maxMemory: optionalQuantity(memoryBytesOf, 'is no amount of memory such as 512Mi'),
  maxCpu: optionalQuantity(processorsOf, 'is no number of processors such as 500m or 2'),
  jobGroups: z.enum(['auto', 'always', 'never'], 'is none of auto, always, never'),
  jobsAtExit: z.enum(['leave', 'end'], 'is neither leave nor end'),
  exportPath: optionalPath,
  fileioStore: optionalPath,
  sshHosts: z.string().transform((text) => text.split(/[\s,]+/).filter((host) => host !== '')),
  sshIdentity: optionalPath,
  sshKnownHosts: optionalPath,
  notifyHosts: z.string().transform((text) => text.split(/[\s,]+/).filter((host) => host !== '')),
  notifyFile: optionalPath,
  notifyRetry: z
    .string()
    .trim()
    .regex(/^\d{1,6}(\.\d+)?([\s,]+\d{1,6}(\.\d+)?){0,99}$/, 'is no list of seconds')
    .transform((text) => text.split(/[\s,]+/).map(Number)),
  fsync: z.boolean(),
  umask,
});

/** The settings by their names, as the flags and the config file have them. */
export type PmanSettings = SettingValues<z.input<typeof schema>>;

/** The names of all of them. */
export const PMAN_SETTING_NAMES: readonly string[] = Object.keys(schema.shape);

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
  /** Whether that is where it lies when nobody says. */
  readonly isDefaultDatabase: boolean;
  readonly dbSavePeriodMs: number;
  readonly containerEnv: string;
  /** `builtin`: no manager container is ever run. */
  readonly manager: 'auto' | 'builtin';
  readonly dockerSocket: string;
  readonly kubernetes: KubernetesSettings;
  /** The folder of the engine's host that stands for the parent of every shareDir (STOREBASE). */
  readonly storeBase: string | undefined;
  readonly verbosity: number;
  readonly logFormat: LogFormat;
  /** The file of the tokens (may be empty: the original's default place), or undefined when none is wanted. */
  readonly tokenPath: string | undefined;
  /** Where it is written who did what; undefined: nowhere. */
  readonly auditLog: { readonly file: string; readonly maxBytes: number } | undefined;
  /** Origins of pages that may use this server, beside its own. */
  readonly allowOrigins: readonly string[];
  /** Names with a dot under which it may be asked without tokens. */
  readonly allowHosts: readonly string[];
  /** The files of TLS; undefined: plain HTTP. */
  readonly tls: TlsPlaces | undefined;
  readonly maxJobs: number;
  readonly maxBodyBytes: number;
  readonly killGraceMs: number;
  /** What is kept of jobs that have ended: for how long, how many, how many bytes; undefined: everything. */
  readonly retention: {
    readonly ageMs: number | undefined;
    readonly count: number | undefined;
    readonly bytes: number | undefined;
  };
  /** How long events are kept, and how much of them. */
  readonly keptEvents: { readonly ageMs: number; readonly bytes: number };
  /** What every job of this host may take, and as whom it runs. */
  readonly jobs: {
    readonly user: string | undefined;
    readonly maxOutputBytes: number | undefined;
    readonly maxProcesses: number | undefined;
    readonly memoryBytes: number | undefined;
    /** Processors, and parts of one. */
    readonly cpus: number | undefined;
    /** Which of them have a control group; `auto`: those that it can hold to a limit. */
    readonly controlGroups: 'auto' | 'always' | 'never';
  };
  /** Whether running jobs go on when pman ends. */
  readonly jobsAtExit: 'leave' | 'end';
  /** Where requests may save and load copies of the database; undefined: in the folder that holds the database. */
  readonly exportPath: string | undefined;
  /** What the endpoints of `fileiosetup` keep to; undefined: a folder of pman's own. */
  readonly fileioStore: string | undefined;
  /** Where jobs may go by ssh, and how. */
  readonly ssh: {
    readonly hosts: readonly string[];
    readonly identity: string | undefined;
    readonly knownHosts: string | undefined;
  };
  /** Who may be told of jobs, and how. */
  readonly notify: {
    readonly hosts: readonly string[];
    readonly file: string | undefined;
    readonly retrySeconds: readonly number[];
  };
  readonly fsync: boolean;
  /** The rights that the database's folders and files, and the debug log, do not have. */
  readonly umask: number;
}

export const command = () =>
  commandOf(
    'pman',
    'Runs commands that other software asks for over HTTP, and remembers every job.',
    settings,
  );

/** Those of the commands for people, which the server does not read. */
const CLIENT_VARIABLES = [
  ...['PMAN_URL', 'PMAN_TOKEN', 'PMAN_TOKEN_FILE', 'PMAN_CONTEXT', 'PMAN_CA', 'PMAN_AUID'],
];

/**
 * Reads the settings of pman from its flags, `PMAN_*` variables and config file.
 * @throws UsageError naming the setting, and what is wrong with its value
 */
export function readPmanConfig(sources: Omit<Sources, 'prefix'>): CommandLine<PmanConfig> {
  const place = defaultDatabase(sources.env);
  const withPlace = settings.map((setting) =>
    setting.name === 'DBpath' ? { ...setting, default: place } : setting,
  );
  const read = readSettings(command(), withPlace, schema, {
    ...sources,
    prefix: 'PMAN_',
    moreVariables: ['PMAN_HOME', ...CLIENT_VARIABLES],
    otherPrefixes: ['PMAN_DO_'],
  });
  if (read.kind !== 'run') return read;
  return { ...read, config: toConfig(read.config, sources.env) };
}

/** @throws UsageError for a part of it, and where no TLS can be spoken */
function tlsPlaces({ rawmode, ...files }: z.infer<typeof schema>): TlsPlaces | undefined {
  const places = tlsPlacesOf(files);
  if (places !== undefined && !rawmode) {
    throw new UsageError('--tlsCert: ZeroMQ clients (--rawmode 0) speak no TLS');
  }
  return places;
}

function toConfig(values: z.infer<typeof schema>, env: Sources['env']): PmanConfig {
  return Object.freeze({
    // With tokens other machines may ask, and this one as well: by localhost, as the examples do.
    ip: values.ip || (values.enableTokenAuth ? '0.0.0.0' : '127.0.0.1'),
    port: values.port,
    protocol: values.protocol,
    rawmode: values.rawmode,
    listeners: values.listeners,
    httpMode: values.http,
    debugFile: values.debugToFile
      ? (values.debugFile ?? resolve(homeOf(env), 'tmp/debug-pman.log'))
      : undefined,
    directiveFile: values.directiveFile,
    dbPath: values.DBpath,
    isDefaultDatabase: values.DBpath === resolve(defaultDatabase(env)),
    dbSavePeriodMs: values.DBsavePeriod,
    containerEnv: values['container-env'],
    manager: values.manager,
    dockerSocket: values.dockerSocket,
    kubernetes: toKubernetes(values, env),
    storeBase: env.STOREBASE || undefined,
    verbosity: values.verbosity,
    logFormat: values.logFormat,
    tokenPath: values.enableTokenAuth ? values.tokenPath : undefined,
    auditLog:
      values.auditLog === undefined
        ? undefined
        : { file: values.auditLog, maxBytes: values.auditLogSize * MEBI },
    allowOrigins: values.allowOrigin,
    allowHosts: values.allowHost,
    tls: tlsPlaces(values),
    maxJobs: values.maxJobs,
    maxBodyBytes: values.maxBodySize,
    killGraceMs: values.killGrace,
    retention: {
      ageMs: values.keepDays === undefined ? undefined : values.keepDays * DAY_MS,
      count: values.keepJobs,
      bytes: values.keepSize === undefined ? undefined : values.keepSize * MEBI,
    },
    keptEvents: {
      ageMs: values.keepEventsDays * DAY_MS,
      bytes: Math.floor(values.keepEventsSize * MEBI),
    },
    jobs: {
      user: values.jobUser || undefined,
      maxOutputBytes: values.maxOutput === undefined ? undefined : values.maxOutput * MEBI,
      maxProcesses: values.maxProcesses,
      memoryBytes: values.maxMemory,
      cpus: values.maxCpu,
      controlGroups: values.jobGroups,
    },
    jobsAtExit: values.jobsAtExit,
    exportPath: values.exportPath,
    fileioStore: values.fileioStore,
    ssh: {
      hosts: values.sshHosts,
      identity: values.sshIdentity,
      knownHosts: values.sshKnownHosts,
    },
    notify: {
      hosts: values.notifyHosts,
      file: values.notifyFile,
      retrySeconds: values.notifyRetry,
    },
    fsync: values.fsync,
    umask: values.umask,
  });
}
