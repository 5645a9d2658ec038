import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../wire/json.ts';
import { commandOf, type PrintFlag, readSources, type Setting, type Sources } from './sources.ts';

const settings = [
  {
    name: 'saveTo',
    short: 's',
    value: 'file',
    help: 'the directive file',
    default: '/tmp/d_msg.json',
  },
  { name: 'msg', value: 'json', help: 'the command: {"action": …, "meta": {…}}', default: '' },
  { name: 'op', value: 'name', help: 'a ready-made command: DBclean', default: '' },
  {
    name: 'wait',
    short: 'w',
    value: 'seconds',
    help: 'how long to wait once the file is written',
    default: '0',
  },
  { name: 'verbosity', short: 'v', value: 'level', help: '0: silent', default: '1' },
] as const satisfies readonly Setting[];

const printFlags = [
  { name: 'desc', short: 'x', help: 'print a description and end' },
  { name: 'synopsis', short: 'y', help: 'print a synopsis and end' },
  { name: 'version', help: 'print the version and end' },
] as const satisfies readonly PrintFlag[];

export interface PmanDoConfig {
  readonly saveTo: string;
  /** What the directive says, or undefined when the operation is unknown: then nothing is written. */
  readonly directive: JsonObject | undefined;
  readonly waitMs: number;
  readonly verbosity: number;
}

export type PmanDoCommandLine =
  | { readonly kind: 'run'; readonly config: PmanDoConfig }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'version' | 'desc' | 'synopsis' };

export const command = () =>
  commandOf('pman_do', 'Commands a pman through its directive file.', settings, printFlags);

/** The commands that have a name (protocol d). */
const OPERATIONS: ReadonlyMap<string, JsonObject> = new Map([
  ['DBclean', { action: 'DBctl', meta: { do: 'clear' } }],
]);

/**
 * Reads the settings of pman_do from its flags and `PMAN_DO_*` variables.
 * @throws UsageError naming the setting and what is wrong with it
 */
export function readPmanDoConfig(sources: Omit<Sources, 'prefix'>): PmanDoCommandLine {
  const raw = readSources(command(), settings, printFlags, '', {
    ...sources,
    prefix: 'PMAN_DO_',
  });
  if ('kind' in raw) return raw;
  for (const kind of ['synopsis', 'desc', 'version'] as const) {
    if (raw.printFlags.includes(kind)) return { kind };
  }
  const { saveTo, msg, op, wait, verbosity } = z.record(z.string(), z.string()).parse(raw.values);
  return {
    kind: 'run',
    config: {
      saveTo: saveTo ?? '',
      directive: msg ? parseMessage(msg) : OPERATIONS.get(op ?? ''),
      waitMs: numberOf('wait', wait) * 1000,
      verbosity: numberOf('verbosity', verbosity),
    },
  };
}

function numberOf(name: string, text: string | undefined): number {
  const number = Number(text);
  if (text !== undefined && text !== '' && Number.isFinite(number)) return number;
  throw new UsageError(`--${name} ${JSON.stringify(text)} is not a number`);
}

function parseMessage(msg: string): JsonObject {
  try {
    const value = parseJson(msg);
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw new UsageError(messageOf(error).replace(/^the body/, '--msg'), { cause: error });
  }
  throw new UsageError('--msg is not a JSON object');
}
