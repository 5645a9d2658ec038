import { needsShell } from './needsShell.ts';

/** Words as one line that a shell takes apart into the same words (POSIX, 2.2.2: nothing is special between single quotes). */
export function quoted(words: readonly string[]): string {
  return words
    .map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) && !/^\w+=/.test(word)
        ? word
        : `'${word.replaceAll("'", "'\\''")}'`,
    )
    .join(' ');
}

/**
 * What is to be run, from the words behind the flags: one word is a line for a shell, several are a program and its arguments.
 * A container is given the words of a line that says the same without a shell, for an image may have none.
 */
export function commandOf({
  rest,
  isBehindDashes,
  isContainer,
}: {
  readonly rest: readonly string[];
  readonly isBehindDashes: boolean;
  readonly isContainer: boolean;
}): { readonly command: string; readonly shell?: true } {
  const isLine = rest.length === 1 && !isBehindDashes;
  const command = isLine ? rest.join('') : quoted(rest);
  const isForShell = !isContainer || (isLine && needsShell(command));
  return isForShell ? { command, shell: true } : { command };
}
