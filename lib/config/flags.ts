import { type Command, CommanderError, type Option } from 'commander';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { expandAbbreviations } from './abbreviations.ts';

/** What a command line asks for: to run with these options, or to print a text and end. */
export type Flags =
  | { readonly kind: 'run'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly kind: 'print'; readonly text: string };

/** Adds the switches that print something and end. */
export function withPrintSwitches(command: Command): Command {
  return command
    .option('-x, --desc', 'print the long description', false)
    .option('-y, --synopsis', 'print the short description', false)
    .option('--version', 'print the version', false);
}

/** The help of a flag, with the default where that says something. */
function described({ description, defaultValue }: Option): string {
  const isTelling = defaultValue !== undefined && defaultValue !== '' && defaultValue !== false;
  return isTelling ? `${description} (default: ${String(defaultValue)})` : description;
}

/** What the switches that print something and end are read as. */
export const printSwitches = {
  desc: z.boolean(),
  synopsis: z.boolean(),
  version: z.boolean(),
} as const;

/**
 * The options of a command line, checked.
 * @throws UsageError in the words of the schema
 */
export function checkOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: Readonly<Record<string, unknown>>,
): z.infer<Schema> {
  const { data, error } = schema.safeParse(options);
  if (error === undefined) return data;
  const problems = error.issues.map(({ path, message }) => {
    const value = path.reduce<unknown>((within, key) => Object(within)[key], options);
    return typeof value === 'string' ? `${message}, not ${JSON.stringify(value)}` : message;
  });
  throw new UsageError(problems.join('; '));
}

/** The value of a flag that takes a whole number, which may be negative. */
export const wholeNumber = (flag: string) =>
  z
    .string()
    .regex(/^-?\d+$/, `${flag} takes a whole number`)
    .transform(Number);

/** The value of a flag that takes seconds, in milliseconds. */
export const seconds = (flag: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, `${flag} takes a number of seconds`)
    .transform((text) => Math.round(Number(text) * 1000));

/** What commander says of a command line, in one line; of words that belong to no flag, which one comes first. */
function inOneLine({ code, message }: CommanderError, { args }: Command): string {
  if (code === 'commander.excessArguments') return `"${args[0]}" is no flag, and belongs to none`;
  return message.replace(/^error: /, '').replace(/\n/g, ' ');
}

/**
 * Reads a command line with commander, abbreviations of long flags included.
 * @throws UsageError for an unknown flag, a missing value or an ambiguous beginning
 */
export function readFlags(command: Command, argv: readonly string[]): Flags {
  let printed = '';
  command.exitOverride().configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    writeErr: () => {},
  });
  command.configureHelp({ optionDescription: described });
  // What has a group goes by its whole name: it takes no beginning away from the flags of the original.
  const short = command.options.filter(({ helpGroupHeading }) => helpGroupHeading === undefined);
  const known = ['--help', ...short.flatMap(({ long }) => long ?? [])];
  try {
    command.parse(expandAbbreviations(argv, known), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: printed };
    throw new UsageError(inOneLine(error, command), { cause: error });
  }
  return { kind: 'run', options: command.opts() };
}
