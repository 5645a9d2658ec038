import { isWithoutFolder, messageOf, PmanError, systemErrorCode, UsageError } from './errors.ts';

/** What can be done where the system refuses something, by its code. */
const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there: make it, or name another one',
  EACCES: 'this user may not do that: give it the right to, or name another one',
  EPERM: 'this user may not do that: give it the right to, or name another one',
  EISDIR: 'it is a folder: name a file',
  ENOTDIR: 'a part of this path is a file: name another one',
  EROFS: 'the disk cannot be written: name another place',
  ENOSPC: 'the disk is full: make room, or name another place',
  EDQUOT: 'the quota of this user is used up: make room, or name another place',
  ELOOP: 'its links lead in a circle: name another one',
  ENAMETOOLONG: 'the name is too long: name another one',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  ENFILE:
    'the machine has too many files open: close some, or raise its limit (sysctl fs.file-max)',
};

/** How many causes of causes are looked at. */
const MAX_DEPTH = 5;

/**
 * What can be done about an error: its own hint, else one for what the system has refused; undefined where there is none.
 */
export function hintOf(error: unknown): string | undefined {
  // The field and not the class: an error can come from another bundle of this program.
  const { hint } = Object(error) as { readonly hint?: unknown };
  if (typeof hint === 'string') return hint;
  return causesOf(error)
    .map((cause) => SYSTEM_HINTS[systemErrorCode(cause) ?? ''])
    .find((hint) => hint !== undefined);
}

function causesOf(error: unknown): readonly unknown[] {
  const causes = [error];
  for (let i = 0; i < MAX_DEPTH; i++) {
    const last = causes.at(-1);
    if (typeof last !== 'object' || last === null || !('cause' in last)) break;
    causes.push(last.cause);
  }
  return causes;
}

/** Whether an error is one that a user can have caused, so that its message is enough. */
const isExpected = (error: unknown) =>
  error instanceof UsageError || error instanceof PmanError || isWithoutFolder(error);

/**
 * What a program says on standard error when it cannot do what it was asked to: a line that says what is wrong, and one
 * that says what to do. Of what nobody expects, the place in the program instead.
 * @param program the name that both lines begin with
 * @param help where a wrong command line is explained; default: its own --help
 */
export function errorReport(
  program: string,
  error: unknown,
  help = `${program} --help lists the flags`,
): string {
  if (!isExpected(error)) return `${program}: ${(error as Error).stack ?? messageOf(error)}`;
  const hint = hintOf(error) ?? (error instanceof UsageError ? help : undefined);
  return `${program}: ${messageOf(error)}${hint === undefined ? '' : `\n${program}: ${hint}`}`;
}
