import { Command, CommanderError, Option } from 'commander';
import { expandAbbreviations } from '../../lib/config/abbreviations.ts';
import { UsageError } from '../../lib/errors.ts';
import {
  readServiceOptions,
  type ServiceFlagValues,
  type ServiceOptions,
  serviceFlags,
} from './serviceFlags.ts';

/** What a command line of `swarm` asks for. */
export type SwarmCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'synopsis' }
  | { readonly kind: 'version' }
  | { readonly kind: 'state' | 'remove'; readonly name: string; readonly conffile?: string }
  | ScheduleCommand;

export interface ScheduleCommand {
  readonly kind: 'schedule';
  readonly name: string;
  readonly image: string;
  readonly commandLine: string;
  readonly restartPolicy: string;
  readonly shareDir?: string;
  readonly conffile?: string;
  readonly options: ServiceOptions;
}

export const usage = `usage: swarm [-h] [-s name | -r name | --state name] [--conffile CONFFILE]
             [-i IMAGE] [-c COMMAND] [-p RESTART_POLICY] [-m dir]
             [--env KEY=VALUE] [--label KEY=VALUE] [--bind SOURCE:TARGET[:ro]]
             [--user USER] [--workers COUNT] [--limit NAME=VALUE]
             [--no-tty] [--version]
`;

export const help = `${usage}
Run a command as a service of a Docker swarm, look at it, remove it.

options:
  -h, --help            show this help message and exit
  -s, --schedule name   schedule a new service (needs -i and -c)
  -r, --remove name     remove a service
  --state name          print the service's newest task as JSON
  --conffile CONFFILE   INI file; base_url in [DEFAULT] is the engine's address
  -i, --image IMAGE     image of the service's container
  -c, --command COMMAND command to run in it; quotes as in a shell
  -p, --restart_policy RESTART_POLICY
                        none, on-failure (default) or any
  -m, --mount dir       folder that the container sees, writable, as /share

more for --schedule, not of swarm.py:
  --env KEY=VALUE       variable in the container; may be repeated, as may --label,
                        --bind and --limit
  --label KEY=VALUE     label of the service and its containers
  --bind SOURCE:TARGET[:ro]
                        another folder or volume
  --user USER           user, or user:group, in the container
  --workers COUNT       how many containers run the command (default 1)
  --no-tty              the container has no terminal: its input is empty, its lines end in LF
  --limit NAME=VALUE    cpus (0.5 is half of one), memory (bytes) or gpus of a container
  -x, --desc            print this text and exit
  -y, --synopsis        print the usage and exit
  --version             print the version and exit

The engine is the one of --conffile, else of DOCKER_HOST (with DOCKER_TLS_VERIFY and
DOCKER_CERT_PATH), else of the current docker context, else the default socket.
`;

interface Flags extends ServiceFlagValues {
  readonly help?: true;
  readonly desc?: true;
  readonly synopsis?: true;
  readonly version?: true;
  readonly schedule?: string;
  readonly remove?: string;
  readonly state?: string;
  readonly conffile?: string;
  readonly image?: string;
  readonly command?: string;
  readonly restart_policy: string;
  readonly mount?: string;
}

/**
 * Reads the arguments as swarm.py does: long flags may be shortened while they stay clear.
 * Throws UsageError for what cannot be meant.
 */
export function parseFlags(args: readonly string[]): SwarmCommand {
  const flags = readFlags(args);
  if (flags.synopsis) return { kind: 'synopsis' };
  if (flags.help || flags.desc) return { kind: 'help' };
  if (flags.version) return { kind: 'version' };
  // An empty name, a script's unset variable, is no name; the engine would make one up.
  const conffile = flags.conffile ? { conffile: flags.conffile } : {};
  if (flags.remove) return { kind: 'remove', name: flags.remove, ...conffile };
  if (flags.state) return { kind: 'state', name: flags.state, ...conffile };
  if (!flags.schedule) {
    throw new UsageError('nothing to do: give one of -s/--schedule, -r/--remove, --state');
  }
  if (!flags.image || !flags.command) {
    throw new UsageError('-s/--schedule requires -i/--image and -c/--command');
  }
  return {
    kind: 'schedule',
    name: flags.schedule,
    image: flags.image,
    commandLine: flags.command,
    restartPolicy: flags.restart_policy,
    ...(flags.mount && { shareDir: flags.mount }),
    ...conffile,
    options: readServiceOptions(flags),
  };
}

function readFlags(args: readonly string[]): Flags {
  const program = new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .allowExcessArguments(false)
    .helpOption(false)
    .option('-h, --help')
    .option('-x, --desc')
    .option('-y, --synopsis')
    .option('--version')
    .option('--conffile <file>')
    .option('-i, --image <image>')
    .option('-c, --command <command>')
    .option('-p, --restart_policy <policy>', '', 'on-failure')
    .option('-m, --mount <dir>');
  for (const option of serviceFlags()) program.addOption(option);
  for (const option of exclusive(
    '-s, --schedule <name>',
    '-r, --remove <name>',
    '--state <name>',
  )) {
    program.addOption(option);
  }
  const longFlags = program.options.flatMap(({ long }) => long ?? []);
  try {
    return program.parse(expandAbbreviations(args, longFlags), { from: 'user' }).opts<Flags>();
  } catch (error) {
    if (error instanceof CommanderError)
      throw new UsageError(inWordsOfArgparse(error), { cause: error });
    throw error;
  }
}

/** Options of which a command line may have only one; the error names the second, then the first. */
function exclusive(...flags: readonly string[]): Option[] {
  let given: string | undefined;
  return flags.map((text) =>
    new Option(text).argParser((value: string) => {
      const flag = argparseName(text);
      if (given !== undefined && given !== flag) {
        throw new UsageError(`argument ${flag}: not allowed with argument ${given}`);
      }
      given = flag;
      return value;
    }),
  );
}

/** '-s, --schedule <name>' as '-s/--schedule'. */
function argparseName(flags: string): string {
  return flags.replace(/ <.*/, '').replace(', ', '/');
}

function inWordsOfArgparse({ code, message }: CommanderError): string {
  const quoted = /'(.*)'/.exec(message)?.[1];
  if (quoted && code === 'commander.optionMissingArgument') {
    return `argument ${argparseName(quoted)}: expected one argument`;
  }
  if (quoted && code === 'commander.unknownOption') return `unrecognized arguments: ${quoted}`;
  return message.replace(/^error: /, '');
}
