import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../wire/json.ts';
import {
  type CommandLine,
  commandOf,
  readSettings,
  type Setting,
  type Sources,
} from './sources.ts';

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

const number = z
  .string()
  .regex(/\S/, 'is not a number')
  .transform(Number)
  .refine(Number.isFinite, 'is not a number');

const schema = z.object({
  saveTo: z.string(),
  msg: z.string(),
  op: z.string(),
  wait: number.transform((seconds) => seconds * 1000),
  verbosity: number,
});

export interface PmanDoConfig {
  readonly saveTo: string;
  /** What the directive says. */
  readonly directive: JsonObject;
  readonly waitMs: number;
  readonly verbosity: number;
}

export const command = () =>
  commandOf('pman_do', 'Commands a pman through its directive file.', settings);

/** The commands that have a name (protocol d). */
const OPERATIONS: ReadonlyMap<string, JsonObject> = new Map([
  ['DBclean', { action: 'DBctl', meta: { do: 'clear' } }],
]);

/**
 * Reads the settings of pman_do from its flags and `PMAN_DO_*` variables.
 * @throws UsageError naming the setting and what is wrong with it
 */
export function readPmanDoConfig(sources: Omit<Sources, 'prefix'>): CommandLine<PmanDoConfig> {
  const read = readSettings(command(), settings, schema, { ...sources, prefix: 'PMAN_DO_' });
  if (read.kind !== 'run') return read;
  const { saveTo, msg, op, wait, verbosity } = read.config;
  const directive = msg === '' ? operation(op) : parseMessage(msg);
  return { kind: 'run', config: { saveTo, directive, waitMs: wait, verbosity } };
}

/** @throws UsageError for an unknown one, and for none: there is nothing to write */
function operation(op: string): JsonObject {
  const found = OPERATIONS.get(op);
  if (found !== undefined) return found;
  const known = [...OPERATIONS.keys()].join(', ');
  if (op !== '') throw new UsageError(`--op "${op}" is no operation: there is ${known}`);
  throw new UsageError(`nothing to write: give --msg <json>, or --op <name> (${known})`);
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
