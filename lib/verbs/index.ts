import type { Verb } from './verb.ts';

/** A row of the table of verbs: what is known of a verb before it is loaded. */
export interface VerbRow {
  readonly name: string;
  /** Names that people try. */
  readonly aliases?: readonly string[];
  readonly group: 'Run' | 'Look' | 'Act' | 'Files' | 'Server';
  /** What it does, in a line. */
  readonly help: string;
  /** Loads it; without one the program itself does it. */
  readonly load?: () => Promise<Verb>;
}

/** Every verb, in the order of the help. */
export const VERBS: readonly VerbRow[] = [
  {
    ...{ name: 'run', group: 'Run', help: "run a command: pman run 'make check'" },
    load: async () => (await import('./run.ts')).run,
  },
  {
    ...{ name: 'ls', aliases: ['ps', 'list', 'status'], group: 'Look' },
    help: 'list jobs: pman ls failed',
    load: async () => (await import('./ls.ts')).ls,
  },
  {
    ...{ name: 'token', group: 'Server', help: 'add, list and revoke tokens' },
    load: async () => (await import('./token.ts')).token,
  },
  { name: 'serve', group: 'Server', help: 'serve; pman alone, or with flags, does the same' },
];

/** The row of a verb, by its name or an alias. */
export function verbRow(word: string): VerbRow | undefined {
  return VERBS.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}
