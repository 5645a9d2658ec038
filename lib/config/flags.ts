import { type Command, CommanderError } from 'commander';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { expandAbbreviations } from './abbreviations.ts';

/** What a command line asks for: to run with these options, or to print a text and end. */
export type Flags =
  | { readonly kind: 'run'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly kind: 'print'; readonly text: string };

/** The value of a flag that takes a whole number, which may be negative. */
export const wholeNumber = (flag: string) =>
  z
    .string()
    .regex(/^-?\d+$/, `${flag} takes a whole number`)
    .transform(Number);

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
  const known = ['--help', ...command.options.flatMap(({ long }) => long ?? [])];
  try {
    command.parse(expandAbbreviations(argv, known), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: printed };
    const text = error.message.replace(/^error: /, '');
    throw new UsageError(text, { cause: error });
  }
  return { kind: 'run', options: command.opts() };
}
