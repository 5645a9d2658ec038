import { Command, Option } from 'commander';
import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { readConfigFile } from './configFile.ts';
import { homeOf } from './databasePlace.ts';
import { readFlags } from './flags.ts';
import { collected } from './pages.ts';
import { type UnknownVariable, unknownVariables } from './unknownVariables.ts';

/** The setting that names the config file; a program without it reads none. */
const CONFIG_FILE = 'configFile';

/** The synopsis wins over the description, and both over the version (protocol f). */
const PRINT_ORDER = ['synopsis', 'desc', 'version'] as const satisfies readonly PrintKind[];

/** One setting of a program: a flag, an environment variable and a key of the config file in one. */
export interface Setting {
  /** The long flag without dashes; also the key in a config file. */
  readonly name: string;
  readonly short?: string;
  /** What the value is called in the help; a setting without one is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly default: string | boolean;
  /** The heading in the help of settings that belong together; their flags have no abbreviations. */
  readonly group?: string;
  /** Given several times, its values make one list with commas; else the last one counts. */
  readonly repeatable?: boolean;
}

/** What a command line asks for: to run, or to print a text and end. */
export type CommandLine<Config> =
  | {
      readonly kind: 'run';
      readonly config: Config;
      /** Variables that look like settings and are none. */
      readonly unknown?: readonly UnknownVariable[];
    }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: PrintKind };

type PrintKind = (typeof PRINT_FLAGS)[number]['name'];

/** Switches that print something and end; they are flags only. */
const PRINT_FLAGS = [
  { name: 'desc', short: '-x', help: 'print a description and end' },
  { name: 'synopsis', short: '-y', help: 'print a synopsis and end' },
  { name: 'version', help: 'print the version and end' },
] as const;

export interface Sources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prefix of the environment variables: `PMAN_`. */
  readonly prefix: string;
  /** Variables with the prefix that the program reads and that are no settings. */
  readonly moreVariables?: readonly string[];
  /** Prefixes of other programs that begin with this one. */
  readonly otherPrefixes?: readonly string[];
}

/** The settings of a program as text and switches, not checked yet. */
type RawSettings = Readonly<Record<string, string | boolean>>;

/** The name of a setting's environment variable: `DBpath` → `PMAN_DBPATH`, `container-env` → `PMAN_CONTAINER_ENV`. */
export function envName(prefix: string, name: string): string {
  return prefix + name.replaceAll('-', '_').toUpperCase();
}

/** Of the environment variables of a program: `pman_do` → `PMAN_DO_`. */
const prefixOf = (program: string) => `${program.toUpperCase()}_`;

/** A commander command that knows these flags; long ones are read by their names as they are. */
export function commandOf(
  program: string,
  description: string,
  settings: readonly Setting[],
): Command {
  const command = new Command(program).description(description).allowExcessArguments(false);
  for (const { name, short, value, help, default: fallback, repeatable, group } of settings) {
    const long = `--${name}${value === undefined ? '' : ` <${value}>`}`;
    const shown = typeof fallback === 'string' && fallback !== '' ? ` (default: ${fallback})` : '';
    const variable = ` [${envName(prefixOf(program), name)}]`;
    const option = new Option(short ? `-${short}, ${long}` : long, help + shown + variable);
    if (repeatable) option.argParser((text, before) => collected(text, String(before ?? '')));
    if (group !== undefined) option.helpGroup(group);
    command.addOption(option);
  }
  for (const flag of PRINT_FLAGS) {
    const names = 'short' in flag ? `${flag.short}, --${flag.name}` : `--${flag.name}`;
    command.addOption(new Option(names, flag.help));
  }
  return command;
}

/**
 * Collects the settings: a flag wins over the environment, that over the config file, that over the default.
 * @param schema what is wanted of each setting
 * @throws UsageError for an unknown flag or key, a missing value, an unreadable file, and for what the schema refuses:
 *   it names the setting and says what is wrong with its value
 */
export function readSettings<Schema extends z.ZodType>(
  command: Command,
  settings: readonly Setting[],
  schema: Schema,
  { argv, env, prefix, moreVariables = [], otherPrefixes = [] }: Sources,
): CommandLine<z.infer<Schema>> {
  const flags = readFlags(command, argv);
  if (flags.kind === 'print') return flags;
  const fromFlags = new Map<string, string | boolean>();
  for (const option of command.options) {
    const value: unknown = flags.options[option.attributeName()];
    const name = option.long?.slice(2) ?? '';
    if (typeof value === 'string' || typeof value === 'boolean') fromFlags.set(name, value);
  }
  const fromEnv = (name: string) => ownVariable(env[envName(prefix, name)]);
  const file = settings.some(({ name }) => name === CONFIG_FILE)
    ? withHome(
        `--${CONFIG_FILE}`,
        String(fromFlags.get(CONFIG_FILE) ?? fromEnv(CONFIG_FILE) ?? ''),
        env,
      )
    : '';
  const fromFile =
    file === '' ? new Map() : readConfigFile(file, settings, prefix.slice(0, -1).toLowerCase());
  /** What the user calls a setting, by where its value comes from. */
  const calledAt = (name: string): string => {
    if (fromFlags.has(name)) return `--${name}`;
    if (fromEnv(name) !== undefined) return envName(prefix, name);
    return fromFile.has(name) ? `${file}: ${name}` : `--${name}`;
  };
  const values = settings.map((setting) => {
    const { name } = setting;
    const found = fromFlags.get(name) ?? fromEnv(name) ?? fromFile.get(name) ?? setting.default;
    const { value } = setting;
    if (value === undefined) return [name, toSwitch(calledAt(name), found)] as const;
    const isPath = value === 'file' || value === 'folder';
    return [name, isPath ? withHome(calledAt(name), String(found), env) : String(found)] as const;
  });
  const print = PRINT_ORDER.find((name) => fromFlags.get(name) === true);
  if (print !== undefined) return { kind: print };
  const known = [...settings.map(({ name }) => envName(prefix, name)), ...moreVariables];
  const unknown = unknownVariables(env, prefix, known, otherPrefixes);
  return {
    kind: 'run',
    config: checked(schema, Object.fromEntries(values), { settings, calledAt }),
    unknown,
  };
}

/** How users know settings. */
interface Naming {
  readonly settings: readonly Setting[];
  /** What they call one, by where its value comes from. */
  readonly calledAt: (name: string) => string;
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  raw: RawSettings,
  { settings, calledAt }: Naming,
): z.infer<Schema> {
  const { data, error } = schema.safeParse(raw);
  if (error === undefined) return data;
  const problems = error.issues.map(({ path: [name], message }) => {
    const value = JSON.stringify(raw[String(name)]);
    return `${calledAt(String(name))} ${value} ${message}`;
  });
  const [first, second] = error.issues;
  const wrong = settings.find(({ name }) => name === first?.path[0]);
  throw new UsageError(
    problems.join('; '),
    wrong && second === undefined
      ? { hint: `--${wrong.name} <${wrong.value}>: ${wrong.help}` }
      : {},
  );
}

/**
 * What Kubernetes and Docker set in a container for each service of its surroundings has the same names as our
 * settings: of a service called pman, PMAN_PORT is `tcp://10.0.0.7:5010`.
 */
function ownVariable(value: string | undefined): string | undefined {
  return value !== undefined && /^(tcp|udp|sctp):\/\//.test(value) ? undefined : value;
}

/**
 * A shell puts the home in the place of `~` in an argument of its own, and not in a file, a variable or `--DBpath=~/x`: a folder
 * of that name would be made.
 * @throws UsageError for the home of another user, which only a shell knows
 */
function withHome(called: string, path: string, env: Sources['env']): string {
  if (path === '~' || path.startsWith('~/')) return homeOf(env) + path.slice(1);
  if (!path.startsWith('~')) return path;
  throw new UsageError(`${called} "${path}" begins with the home of a user`, {
    hint: 'write the whole path: only a shell knows the homes of others',
  });
}

function toSwitch(called: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const text = String(value).toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(text)) return true;
  if (['', '0', 'false', 'no', 'off'].includes(text)) return false;
  throw new UsageError(`${called} "${text}" is neither on nor off`, {
    hint: 'a switch is 1 or 0, true or false, yes or no',
  });
}
