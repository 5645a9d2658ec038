import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import type { TlsPlaces } from '../host/tlsFiles.ts';
import { logFormats } from '../log.ts';
import {
  checkOptions,
  printSwitches,
  readFlags,
  seconds,
  wholeNumber,
  withPrintSwitches,
} from './flags.ts';
import { collected, hostList, originList, pageFlags } from './pages.ts';
import { address } from './settingForms.ts';
import type { SettingValues } from './settingValues.ts';
import { tlsPlacesOf } from './tls.ts';

const UNITS = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const;

const schema = z.object({
  ip: z.string().min(1).pipe(address),
  port: z
    .string()
    .regex(/^\d{1,5}$/, '--port takes a port number')
    .transform(Number)
    .refine((port) => port <= 65535, '--port takes a port number'),
  forever: z.boolean(),
  quiet: z.boolean(),
  storeBase: z.string().min(1).optional(),
  createDirsAsNeeded: z.boolean(),
  enableTokenAuth: z.boolean(),
  tokenPath: z.string(),
  auditLog: z.string().transform((file) => (file === '' ? undefined : resolve(file))),
  auditLogSize: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, '--auditLogSize takes a number of MiB')
    .transform((mebi) => Number(mebi) * UNITS.m),
  allowOrigin: originList('--allowOrigin '),
  allowHost: hostList('--allowHost '),
  timeout: seconds('--timeout'),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  tlsClientCA: z.string().optional(),
  maxUnpack: z
    .string()
    .regex(/^\d+[kmgt]?$/i, '--maxUnpack takes bytes, or a number with K, M, G or T')
    .transform((text) => {
      const unit = text.replace(/\d+/, '').toLowerCase() as keyof typeof UNITS;
      return Number.parseInt(text, 10) * UNITS[unit];
    }),
  swiftStorage: z
    .boolean()
    .refine((on) => !on, '--swift-storage: this pfioh keeps its store on disk only'),
  verbosity: wholeNumber('--verbosity'),
  logFormat: z.enum(logFormats, '--logFormat is neither text nor json'),
  ...printSwitches,
});

/** The settings by their names, as the flags have them. */
export type PfiohSettings = SettingValues<Omit<z.input<typeof schema>, keyof typeof printSwitches>>;

/** The names of all of them. */
export const PFIOH_SETTING_NAMES: readonly string[] = Object.keys(schema.shape).filter(
  (name) => !Object.hasOwn(printSwitches, name),
);

/** How pfioh was started. */
export type PfiohConfig = Readonly<z.infer<typeof schema>> & {
  /** The files of TLS; undefined: plain HTTP. */
  readonly tls: TlsPlaces | undefined;
};

export type PfiohCommandLine =
  | { readonly kind: 'run'; readonly config: PfiohConfig }
  | { readonly kind: 'print'; readonly text: string };

export function command(): Command {
  return new Command('pfioh')
    .description('Serves files and folders: purl pushes them here and pulls them from here.')
    .allowExcessArguments(false)
    .option('--ip <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <port>', 'the port to listen on; 0 picks a free one', '5055')
    .option('--forever', 'serve until told to quit; without it, one transfer', false)
    .option('--storeBase <folder>', 'keep to this folder; keys are folders in it')
    .option('--createDirsAsNeeded', 'make the folders that requests name', false)
    .option('--enableTokenAuth', 'serve only requests with a token', false)
    .option(
      '--tokenPath <file>',
      'the tokens: .cfg or .ini with [AUTH TOKENS] and [TOKEN name], or one a line',
      '',
    )
    .option('--auditLog <file>', 'a file to write who did what, as lines of JSON', '')
    .option('--auditLogSize <MiB>', 'the audit log is put aside when it is as large', '64')
    .option('--allowOrigin <list>', pageFlags.allowOrigin, collected, '')
    .option('--allowHost <list>', pageFlags.allowHost, collected, '')
    .option('--tlsCert <file>', 'speak TLS (https) with this certificate (PEM); with --tlsKey')
    .option('--tlsKey <file>', 'the private key of --tlsCert (PEM)')
    .option('--tlsClientCA <file>', 'let in only clients with a certificate of these authorities')
    .option('--maxUnpack <bytes>', 'what any archive may unpack to, however small it is', '16G')
    .option('--timeout <seconds>', 'how long to wait while nothing moves; 0: for ever', '60')
    .option('--httpResponse', 'accepted for old scripts; answers are always proper HTTP', false)
    .option('--swift-storage', 'not supported', false)
    .option('--test', 'accepted for old scripts', false)
    .option('--man', 'accepted for old scripts', false)
    .option('--quiet', 'log errors only', false)
    .option(
      '-v, --verbosity <level>',
      '0 is silent, 1 shows transfers and requests, 2 and more is for debugging',
      '1',
    )
    .option('--logFormat <form>', 'text, or json: one object a line', 'text');
}

/**
 * Reads pfioh's command line.
 * @throws UsageError when it cannot be understood
 */
export function readPfiohFlags(argv: readonly string[]): PfiohCommandLine {
  const flags = readFlags(withPrintSwitches(command()), argv);
  if (flags.kind === 'print') return flags;
  const options = checkOptions(schema, flags.options);
  const { tlsCert, tlsKey, tlsClientCA } = options;
  const tls = tlsPlacesOf({ tlsCert, tlsKey, tlsClientCA });
  return { kind: 'run', config: Object.freeze({ ...options, tls }) };
}
