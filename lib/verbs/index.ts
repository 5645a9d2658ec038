import type { Verb } from './verb.ts';

/** A row of the table of verbs: what is known of a verb before it is loaded. */
export interface VerbRow {
  readonly name: string;
  /** Names that people try. */
  readonly aliases?: readonly string[];
  readonly group: 'Run' | 'Look' | 'Act' | 'Files' | 'Server';
  /** What it does, in a line. */
  readonly help: string;
  /** How many words it takes at most, beside its flags; `own`: it has a reader of its own, which refuses what is too many. */
  readonly most: number | 'any' | 'own';
  /** Loads it; without one the program itself does it. */
  readonly load?: () => Promise<Verb>;
}

/** Every verb, in the order of the help. */
export const VERBS: readonly VerbRow[] = [
  {
    ...{ name: 'run', group: 'Run', help: "run a command: pman run 'make check'" },
    most: 'any',
    load: async () => (await import('./run.ts')).run,
  },
  {
    ...{ name: 'rerun', aliases: ['retry', 'restart'], group: 'Run' },
    help: 'run a job again, or change it: pman rerun --timeout 2h',
    most: 'any',
    load: async () => (await import('./rerun.ts')).rerun,
  },
  {
    ...{ name: 'ls', aliases: ['ps', 'list', 'status'], group: 'Look' },
    help: 'list jobs: pman ls failed',
    most: 'any',
    load: async () => (await import('./ls.ts')).ls,
  },
  {
    ...{ name: 'show', group: 'Look', help: 'all about a job, and the end of what it wrote' },
    most: 'any',
    load: async () => (await import('./show.ts')).show,
  },
  {
    ...{ name: 'logs', aliases: ['log', 'follow'], group: 'Look' },
    help: 'what a job writes: pman logs -f',
    most: 'any',
    load: async () => (await import('./showLogs.ts')).logs,
  },
  {
    ...{ name: 'wait', group: 'Look', help: 'until jobs end; ends with their exit code' },
    most: 'any',
    load: async () => (await import('./wait.ts')).wait,
  },
  {
    ...{ name: 'top', group: 'Look', help: 'jobs as they run, on the whole terminal' },
    most: 0,
    load: async () => (await import('./top.ts')).top,
  },
  {
    ...{ name: 'events', group: 'Look', help: 'what happens to jobs, as it happens' },
    most: 1,
    load: async () => (await import('./showEvents.ts')).events,
  },
  {
    ...{ name: 'kill', aliases: ['stop'], group: 'Act', help: 'end jobs: pman kill 7f3a' },
    most: 'any',
    load: async () => (await import('./kill.ts')).kill,
  },
  {
    ...{ name: 'rm', aliases: ['remove', 'delete'], group: 'Act' },
    help: 'remove jobs that have ended',
    most: 'any',
    load: async () => (await import('./rm.ts')).rm,
  },
  {
    ...{ name: 'clean', group: 'Act', help: 'remove what has ended, but for what failed' },
    most: 0,
    load: async () => (await import('./clean.ts')).clean,
  },
  {
    ...{ name: 'push', group: 'Files', help: 'files to the server: pman push results/ jobs/42' },
    most: 2,
    load: async () => (await import('./moveFiles.ts')).push,
  },
  {
    ...{ name: 'pull', group: 'Files', help: 'and back: pman pull jobs/42 results/' },
    most: 2,
    load: async () => (await import('./moveFiles.ts')).pull,
  },
  {
    ...{ name: 'open', group: 'Server', help: 'the page of the server, in the browser' },
    most: 1,
    load: async () => (await import('./open.ts')).open,
  },
  {
    ...{ name: 'doctor', group: 'Server', help: 'what is wrong with this set-up' },
    most: 0,
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    ...{ name: 'completion', group: 'Server', help: 'of words, for bash, zsh and fish' },
    most: 1,
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    ...{ name: 'token', group: 'Server', help: 'add, list and revoke tokens' },
    most: 'own',
    load: async () => (await import('./token.ts')).token,
  },
  {
    ...{ name: 'serve', group: 'Server', most: 'own' },
    help: 'serve; pman alone, or with flags, does the same',
  },
];

/** The row of a verb, by its name or an alias. */
export function verbRow(word: string): VerbRow | undefined {
  return VERBS.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}
