import { UsageError } from '../../lib/errors.ts';
import { quote } from '../command/shellArguments.ts';

/** What the command line asks for. */
export interface Flags {
  readonly command: string | undefined;
  readonly verbosity: number;
  readonly ssh: string | undefined;
  readonly sshOptions: readonly string[];
  readonly identity: string | undefined;
  readonly jid: string;
  readonly auid: string;
  readonly pipeline: boolean;
  readonly pipefail: boolean;
  readonly showStdOut: boolean;
  readonly showStdErr: boolean;
  readonly echoCmd: boolean;
  readonly prettyprint: boolean;
  readonly jsonprint: boolean;
  readonly eventloop: boolean;
  readonly debugToFile: boolean;
  readonly debugFile: string | undefined;
  readonly help: boolean;
  readonly desc: boolean;
  readonly synopsis: boolean;
  readonly version: boolean;
}

interface FlagForm {
  readonly names: readonly string[];
  /** The value's name in the help; a flag without one is a switch. */
  readonly value?: string;
  readonly help: string;
  /** Not a flag of the original: an abbreviation of one of the original's never means this one. */
  readonly added?: true;
}

/** The flags, in the order of the help. */
export const FLAG_FORMS = {
  command: { names: ['-c', '--command'], value: 'CMD', help: 'the command line to run' },
  pipeline: {
    names: ['--pipeline'],
    help: 'run each part between top-level ; as a job of its own',
  },
  pipefail: {
    names: ['--pipefail'],
    help: 'exit with the status of the first part that failed, not of the last part',
    added: true,
  },
  ssh: { names: ['--ssh'], value: 'USER@HOST[:PORT]', help: 'run on that host, through ssh' },
  sshOptions: {
    names: ['-o', '--ssh-option'],
    value: 'NAME=VALUE',
    help: 'an option for ssh; may be given again',
    added: true,
  },
  identity: {
    names: ['-i', '--identity'],
    value: 'FILE',
    help: 'the private key for ssh',
    added: true,
  },
  jid: { names: ['--jid'], value: 'ID', help: 'job id, noted in the job dictionary' },
  auid: { names: ['--auid'], value: 'ID', help: 'user id, noted in the job dictionary' },
  showStdOut: { names: ['--showStdOut'], help: 'print the stdout of each job' },
  showStdErr: { names: ['--showStdErr'], help: 'then print the stderr of each job, on stdout' },
  echoCmd: { names: ['--echoCmd'], help: 'print the command line first' },
  prettyprint: { names: ['--prettyprint'], help: 'print the job dictionary as Python shows it' },
  jsonprint: { names: ['--jsonprint'], help: 'print the job dictionary as one line of JSON' },
  eventloop: {
    names: ['--eventloop', '--eventLoop'],
    help: 'print a line when a job starts and when it ends',
  },
  verbosity: {
    names: ['-v', '--verbosity'],
    value: 'N',
    help: 'trace lines on stdout: -1 none, 0 a few (default), 1 more',
  },
  debugToFile: { names: ['--debugToFile'], help: 'write all trace lines to a file as well' },
  debugFile: {
    names: ['--debugFile'],
    value: 'FILE',
    help: 'that file; default: ~/tmp/debug-crunner.log',
  },
  help: { names: ['-h', '--help'], help: 'print this and exit' },
  desc: { names: ['-x', '--desc'], help: 'the same', added: true },
  synopsis: { names: ['-y', '--synopsis'], help: 'print the usage and exit', added: true },
  version: { names: ['--version'], help: 'print the version and exit', added: true },
} as const satisfies Record<keyof Flags, FlagForm>;

type FlagName = keyof typeof FLAG_FORMS;

const FORMS: readonly (readonly [FlagName, FlagForm])[] = Object.entries(FLAG_FORMS).map(
  ([name, form]) => [name as FlagName, form], // the keys are those of the literal above
);

/**
 * Reads the flags as Python's argparse does: `--flag value`, `--flag=value`, `-fvalue`, unambiguous
 * prefixes of long flags, and no value that begins with a dash unless it is a negative number or
 * holds a blank. Behind `--` stands the command itself, which the original has not. Throws `UsageError`.
 */
export function parseFlags(argv: readonly string[]): Flags {
  const values = new Map<FlagName, string[]>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--' && words.length > 0) {
      if (values.has('command')) {
        throw new UsageError('argument -c/--command: not together with a command behind --');
      }
      values.set('command', [commandOf(words)]);
      break;
    }
    const found = findFlag(word);
    const { name, form } = found;
    let { value } = found;
    if (form.value === undefined && value !== undefined) {
      throw new UsageError(`argument ${form.names.join('/')}: takes no value, got '${value}'`);
    }
    if (form.value !== undefined && value === undefined) {
      value = words[0];
      if (value === undefined || looksLikeFlag(value)) {
        throw new UsageError(`argument ${form.names.join('/')}: expected one argument`);
      }
      words.shift();
    }
    values.set(name, [...(values.get(name) ?? []), value ?? '']);
  }
  return flagsOf(values);
}

/** One word is a line for the shell, as with `-c`; several are a program and its arguments as they are. */
function commandOf(words: readonly string[]): string {
  return words.length === 1 ? words.join('') : words.map(quote).join(' ');
}

function flagsOf(values: ReadonlyMap<FlagName, readonly string[]>): Flags {
  const text = (name: FlagName) => values.get(name)?.at(-1);
  const verbosity = text('verbosity') ?? '0';
  if (!/^\s*[+-]?\d+\s*$/.test(verbosity)) {
    throw new UsageError(`argument -v/--verbosity: invalid int value: '${verbosity}'`);
  }
  return {
    command: text('command'),
    verbosity: Number(verbosity),
    ssh: text('ssh'),
    sshOptions: values.get('sshOptions') ?? [],
    identity: text('identity'),
    jid: text('jid') ?? '',
    auid: text('auid') ?? '',
    pipeline: values.has('pipeline'),
    pipefail: values.has('pipefail'),
    showStdOut: values.has('showStdOut'),
    showStdErr: values.has('showStdErr'),
    echoCmd: values.has('echoCmd'),
    prettyprint: values.has('prettyprint'),
    jsonprint: values.has('jsonprint'),
    eventloop: values.has('eventloop'),
    debugToFile: values.has('debugToFile'),
    debugFile: text('debugFile'),
    help: values.has('help'),
    desc: values.has('desc'),
    synopsis: values.has('synopsis'),
    version: values.has('version'),
  };
}

interface FoundFlag {
  readonly name: FlagName;
  readonly form: FlagForm;
  /** What stood in the same word. */
  readonly value: string | undefined;
}

function findFlag(word: string): FoundFlag {
  const equals = word.indexOf('=');
  const flag = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const exact = FORMS.find(([, { names }]) => names.includes(flag));
  if (exact !== undefined) return { name: exact[0], form: exact[1], value };
  if (flag.startsWith('--') && flag.length > 2) {
    const [name, form] = abbreviated(flag);
    return { name, form, value };
  }
  const short = FORMS.find(([, { names }]) => names.includes(word.slice(0, 2)));
  if (word.startsWith('-') && short?.[1].value !== undefined) {
    return { name: short[0], form: short[1], value: word.slice(2) };
  }
  throw new UsageError(`unrecognized arguments: ${word}`);
}

function abbreviated(flag: string): readonly [FlagName, FlagForm] {
  const all = FORMS.filter(([, { names }]) => names.some((name) => name.startsWith(flag)));
  const originals = all.filter(([, { added }]) => added !== true);
  const candidates = originals.length > 0 ? originals : all;
  const [first, second] = candidates;
  if (first === undefined) throw new UsageError(`unrecognized arguments: ${flag}`);
  if (second !== undefined) {
    const names = candidates.map(([, form]) => form.names.at(-1)).join(', ');
    throw new UsageError(`ambiguous option: ${flag} could match ${names}`);
  }
  return first;
}

/** argparse takes `-1` and anything with a blank for a value. */
function looksLikeFlag(word: string): boolean {
  return word.length > 1 && word.startsWith('-') && !/^-\d+$|^-\d*\.\d+$| /.test(word);
}
