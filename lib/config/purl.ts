import { Command, Option } from 'commander';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import {
  checkOptions,
  printSwitches,
  readFlags,
  seconds,
  wholeNumber,
  withPrintSwitches,
} from './flags.ts';

const count = (name: string) =>
  z.string().regex(/^\d+$/, `${name} takes a whole number`).transform(Number);
const token = (name: string) =>
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, `${name} takes an HTTP method`);

const schema = z.object({
  verb: token('--verb').transform((verb) => verb.toUpperCase()),
  http: z.string(),
  msg: z.string(),
  auth: z.string(),
  authToken: z.string(),
  jsonwrapper: z.string(),
  quiet: z.boolean(),
  raw: z.boolean(),
  oneShot: z.boolean(),
  man: z.string(),
  contentType: z.string(),
  jsonpprintindent: count('--jsonpprintindent'),
  httpResponseBodyParse: z.boolean(),
  unverifiedCerts: z.boolean(),
  insecure: z.boolean(),
  cacert: z.string(),
  cert: z.string(),
  key: z.string(),
  httpProxy: z.string(),
  header: z.array(z.string().regex(/^[^\s:]+:/, '--header takes "Name: value"')),
  output: z.string(),
  fail: z.boolean(),
  json: z.boolean(),
  resume: z.boolean(),
  connectTimeout: seconds('--connectTimeout'),
  /** Undefined: as long as suits what is done. */
  timeout: seconds('--timeout').optional(),
  retries: count('--retries'),
  verbosity: wholeNumber('--verbosity'),
  ...printSwitches,
});

/** What purl was asked to do. Times are milliseconds; empty strings stand for "not given". */
export type PurlConfig = Readonly<z.infer<typeof schema>>;

export type PurlCommandLine =
  | { readonly kind: 'run'; readonly config: PurlConfig }
  | { readonly kind: 'print'; readonly text: string };

export function command(name: string): Command {
  const collect = (value: string, all: readonly string[]) => [...all, value];
  return new Command(name)
    .description(
      'Speaks to pman and pfioh, pushes and pulls files and folders, and is a plain HTTP client.',
    )
    .allowExcessArguments(false)
    .option('--verb <verb>', 'GET, POST, PUT or another HTTP method', 'POST')
    .option('--http <url>', '[http[s]://]host[:port][/path]', '127.0.0.1:5055')
    .option('--msg <json>', 'the message; @file reads a file, - reads standard input', '')
    .option('--auth <user:password>', 'HTTP Basic authorization', '')
    .option('--authToken <token>', 'bearer token; @file reads a file', '')
    .option('--jsonwrapper <name>', 'send {"<name>": message}', '')
    .option('--quiet', 'print the answer and nothing else', false)
    .option('--raw', 'do not wrap the answer', false)
    .option('--oneShot', 'ask the server to quit afterwards', false)
    .option('--man <page>', 'print a manual page: commands, pushPath or pullPath', '')
    .option('--content-type <type>', 'the Content-type header of the request', '')
    .option('--jsonpprintindent <blanks>', 'indent the answer by so many blanks', '0')
    .option('--httpResponseBodyParse', 'accepted for old scripts; answers are always parsed', false)
    .option('--unverifiedCerts', 'accept any certificate of an https server', false)
    .option('-k, --insecure', 'the same', false)
    .option('--cacert <file>', 'trust the authorities in this file (PEM), and no others', '')
    .option('--cert <file>', 'show this certificate (PEM) to the https server of --http', '')
    .option('--key <file>', 'its private key (PEM; default: in the file of --cert)', '')
    .option('--httpProxy <url>', '[http://][user:password@]host:port of a proxy', '')
    .option('-H, --header <line>', 'another request header; may be repeated', collect, [])
    .option('-o, --output <file>', 'write the answer to a file', '')
    .option(
      '-f, --fail',
      'end with a status other than 0 on every failure, also with --quiet',
      false,
    )
    .option('--json', 'progress of transfers as lines of JSON on standard error', false)
    .option('--resume', 'keep what arrived of an interrupted transfer and go on from there', false)
    .option('--connectTimeout <seconds>', 'how long to wait for a connection', '30')
    .option(
      '--timeout <seconds>',
      'how long to wait while nothing moves; 0: for ever. Without it: 60 for transfers, else for ever',
    )
    .option('--retries <n>', 'how often to try again to connect', '2')
    .addOption(new Option('-v, --verbosity <level>', '0 is as --quiet').default('1'));
}

/** A file or folder, and where it goes: `purl push DIR HOST:PATH`, `purl pull HOST:PATH DIR`. */
export type FilesVerb = 'push' | 'pull';

export type FilesCommandLine =
  | {
      readonly kind: 'run';
      readonly config: PurlConfig;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'print'; readonly text: string };

/** Flags of purl that say nothing to `push` and `pull`. */
const NOT_OF_FILES: readonly string[] = [
  '--verb',
  '--http',
  '--msg',
  '--jsonwrapper',
  '--raw',
  '--oneShot',
  '--man',
  '--content-type',
  '--jsonpprintindent',
  '--httpResponseBodyParse',
  '--output',
  '--fail',
  '--resume',
];

const FILES_HELP: Readonly<Record<FilesVerb, string>> = {
  push: 'Brings the content of a folder, or a file, into a folder of a pfioh: only what is not there yet.',
  pull: 'Brings the content of a folder of a pfioh, or a file, into a folder here: only what is not here yet.',
};

const EXAMPLES: Readonly<Record<FilesVerb, string>> = {
  push: 'purl push results/ node7:jobs/42\n  purl push scan.nii https://node7:5055:incoming',
  pull: 'purl pull node7:jobs/42/out results/\n  purl pull node7:5056:/data/scan.nii .',
};

/** The command `purl push` or `purl pull`. */
export function filesCommand(verb: FilesVerb, name: string): Command {
  const made = new Command(`${name} ${verb}`)
    .description(`${FILES_HELP[verb]}\n\nExamples:\n  ${EXAMPLES[verb]}`)
    .allowExcessArguments(false);
  const [from, to] = verb === 'push' ? ['<path>', '<host:path>'] : ['<host:path>', '<folder>'];
  made
    .argument(
      from,
      verb === 'push'
        ? 'a folder, whose content is sent, or a file'
        : '[https://]HOST[:PORT]:PATH of a folder or file',
    )
    .argument(
      to,
      verb === 'push' ? '[https://]HOST[:PORT]:PATH of a folder' : 'a folder, which is made',
    );
  for (const option of command(name).options) {
    if (!NOT_OF_FILES.includes(option.long ?? '')) made.addOption(option);
  }
  return made;
}

/**
 * What must not be left out because a variable is not set: without it other certificates would do, or the answer would go
 * elsewhere. The flags of the original take an empty text for "not given", as scripts have them.
 */
const NEVER_EMPTY = ['cacert', 'cert', 'key', 'output'] as const;

/** @throws UsageError for a flag that was given an empty value */
function refuseEmpty(made: Command): void {
  const empty = NEVER_EMPTY.find(
    (name) => made.getOptionValueSource(name) === 'cli' && made.getOptionValue(name) === '',
  );
  if (empty !== undefined) throw new UsageError(`--${empty} is empty: it needs a file`);
}

/**
 * Reads the words behind `purl push` or `purl pull`.
 * @throws UsageError when they cannot be understood
 */
export function readFilesFlags(
  argv: readonly string[],
  verb: FilesVerb,
  name: string,
): FilesCommandLine {
  const made = filesCommand(verb, name);
  const flags = readFlags(made, argv);
  if (flags.kind === 'print') return flags;
  refuseEmpty(made);
  if (made.args.includes('')) throw new UsageError(`${verb}: one of the two words is empty`);
  const others = withPrintSwitches(command(name)).opts();
  const data = checkOptions(schema, { ...others, ...flags.options });
  const [from = '', to = ''] = made.args;
  const quiet = data.quiet || data.verbosity <= 0;
  return { kind: 'run', config: Object.freeze({ ...data, quiet }), from, to };
}

/**
 * Reads purl's command line.
 * @throws UsageError when it cannot be understood
 */
export function readPurlFlags(argv: readonly string[], name: string): PurlCommandLine {
  const made = withPrintSwitches(command(name));
  const flags = readFlags(made, argv);
  if (flags.kind === 'print') return flags;
  refuseEmpty(made);
  const data = checkOptions(schema, flags.options);
  return {
    kind: 'run',
    config: Object.freeze({ ...data, quiet: data.quiet || data.verbosity <= 0 }),
  };
}
