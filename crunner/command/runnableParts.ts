import { splitIntoParts } from './split.ts';

/**
 * Shells read a line of commands into a tree that is as deep as the line has commands, and go down it: dash and bash ended with
 * SIGSEGV at 200,000 (8 MiB of stack). Between lines they begin anew.
 */
const MAX_IN_A_LINE = 10_000;

/** How a line that is to be cut at its top-level `;` is given to shells. */
export interface SplitOrder {
  readonly line: string;
  /** A line of more parts than this is run as one. */
  readonly maxParts: number;
}

/** The parts of a line, each for a shell of its own. One of very many commands is made of many lines, and is one part. */
export function runnableParts({ line, maxParts }: SplitOrder): readonly string[] {
  const parts = splitIntoParts(line);
  if (parts.length <= maxParts) return parts;
  return [parts.length <= MAX_IN_A_LINE ? line : parts.join('\n')];
}
