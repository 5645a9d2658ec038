import { UsageError } from '../errors.ts';

/**
 * The arguments with every abbreviated long flag written out: Python's argparse, which the original
 * used, takes any unambiguous beginning of a long flag, with or without `=value`.
 *
 * `knownLongFlags` are the full names with their dashes (`--port`). A flag that is a full name stays
 * as it is, even when it begins a longer one. Unknown flags stay too: the parser that comes after
 * words that error. Arguments after `--` are not looked at; neither are single-dash arguments.
 *
 * A value that looks like an abbreviation is taken for one (`--msg --quie`), as argparse does.
 *
 * @throws UsageError when a beginning fits more than one flag.
 */
export function expandAbbreviations(
  argv: readonly string[],
  knownLongFlags: readonly string[],
): string[] {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  return [...flags.map((argument) => expandOne(argument, knownLongFlags)), ...rest];
}

function expandOne(argument: string, knownLongFlags: readonly string[]): string {
  if (!argument.startsWith('--')) return argument;
  const equals = argument.indexOf('=');
  const name = equals < 0 ? argument : argument.slice(0, equals);
  const value = equals < 0 ? '' : argument.slice(equals);
  if (knownLongFlags.includes(name)) return argument;
  const fitting = [...new Set(knownLongFlags.filter((flag) => flag.startsWith(name)))];
  if (fitting.length > 1) {
    throw new UsageError(`ambiguous option: ${name} could match ${fitting.join(', ')}`);
  }
  const [flag] = fitting;
  return flag === undefined ? argument : flag + value;
}
