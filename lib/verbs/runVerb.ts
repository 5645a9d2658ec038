import { inspect } from 'node:util';
import { PmanClientError } from '../client/index.ts';
import { hintOf } from '../errorReport.ts';
import { messageOf, UsageError } from '../errors.ts';
import { refuseForeignSettings, refuseForeignWords } from '../foreignBytes.ts';
import { nearName } from '../wire/nearName.ts';
import { clientHint } from './clientHint.ts';
import { CannotError, Interrupted } from './failures.ts';
import { readWords } from './flagWords.ts';
import { VERBS, type VerbRow, verbRow } from './index.ts';
import { ownStreams, type Streams } from './streams.ts';
import type { Verb } from './verb.ts';
import { FAILED, INTERRUPTED, PMAN_FAILED, WRONG_USE } from './verbExit.ts';
import { overview, verbHelp } from './verbHelp.ts';
import { problemOf, usageHint } from './verbProblem.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Verbs whose exit code is that of a job: what goes wrong with pman itself must not look like the job's. */
const ENDS_AS_JOB: ReadonlySet<string> = new Set(['run', 'logs', 'wait']);

/**
 * The program pman: a first word is a verb; flags alone, or nothing, start the server.
 * @param serve the server, with the flags behind its name, and where a wrong one is explained; it resolves when there is
 * none to run
 * @returns the exit code
 */
export async function main(
  argv: readonly string[],
  env: Env,
  serve: (flags: readonly string[], help: string) => Promise<number>,
): Promise<number> {
  const [word = '', ...rest] = argv;
  if (word === '' || (word.startsWith('-') && !isHelp(argv))) {
    return serve(argv, flagsHelp(argv));
  }
  const row = verbRow(word);
  // Before anything listens to its streams: a server goes on when nobody reads what it says.
  if (row !== undefined && row.load === undefined) return serve(rest, flagsHelp(rest));
  const streams = ownStreams(env);
  if (isHelp(argv)) {
    streams.out.write(overview());
    return 0;
  }
  if (word === 'help') return help(rest, streams);
  if (word === '__complete') return (await import('./complete.ts')).complete(rest, env, streams);
  if (row?.load === undefined) return unknown(word, streams);
  try {
    const verb = await row.load();
    if (asksForHelp(rest, verb.takesCommand === true)) {
      streams.out.write(verbHelp(row, verb));
      return 0;
    }
    refuseForeignWords(rest);
    refuseForeignSettings(env);
    refuseMore(row, verb, rest);
    return await verb.run({ argv: rest, env, streams });
  } catch (error) {
    return told(error, row.name, rest, streams);
  }
}

/** Where flags of the server are explained; those of a command stand behind it. */
function flagsHelp(argv: readonly string[]): string {
  const verb = argv.find((word) => verbRow(word)?.load !== undefined);
  const ofServer = 'pman serve --help lists the flags';
  if (verb === undefined) return ofServer;
  return `the flags of a command stand behind it, as in pman ${verb} --json; ${ofServer} of the server`;
}

const isHelp = ([first = '', ...more]: readonly string[]) =>
  more.length === 0 && (first === '-h' || first === '--help');

/** `-h` anywhere before `--`; of a command that is run, before its own words. */
function asksForHelp(argv: readonly string[], takesCommand: boolean): boolean {
  for (const word of argv) {
    if (word === '--') return false;
    if (word === '-h' || word === '--help') return true;
    if (takesCommand && !word.startsWith('-')) return false;
  }
  return false;
}

/**
 * A word too many is no word to be passed over: whoever wrote `clean failed` would lose what he did not name.
 * @throws UsageError
 */
function refuseMore({ most }: VerbRow, { flags }: Verb, argv: readonly string[]): void {
  if (typeof most === 'string') return;
  const { rest } = readWords(argv, flags);
  const extra = rest[most];
  if (extra === undefined) return;
  const taken = most === 0 ? 'no word' : most === 1 ? 'one word' : `${most} words`;
  throw new UsageError(
    `it takes ${taken} beside its flags, and ${JSON.stringify(extra)} is ${most === 0 ? 'one' : 'one more'}`,
  );
}

async function help([word, extra]: readonly string[], streams: Streams): Promise<number> {
  if (extra !== undefined) {
    streams.err.line(`pman: help: it takes one word, and ${JSON.stringify(extra)} is one more`);
    return WRONG_USE;
  }
  if (word === undefined) {
    streams.out.write(overview());
    return 0;
  }
  const { TOPICS } = await import('./topics.ts');
  const topic = TOPICS.get(word);
  if (topic !== undefined) {
    streams.out.write(topic);
    return 0;
  }
  const row = verbRow(word);
  if (row?.load === undefined) return unknown(word, streams);
  streams.out.write(verbHelp(row, await row.load()));
  return 0;
}

function unknown(word: string, { err }: Streams): number {
  const known = VERBS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  const begun = known.filter((name) => word.length > 1 && name.startsWith(word));
  const alike = nearName(word, known) ?? known.find((name) => isLetterMore(word, name));
  const near = begun.length > 0 || alike === undefined ? begun : [alike];
  err.line(`pman: there is no command ${JSON.stringify(word)}`);
  if (near.length > 0) err.line(`  near it: ${near.join(', ')}`);
  err.line('  pman --help lists the commands');
  return WRONG_USE;
}

/** Whether a word is a short name with a letter too many, as `lss`: `nearName` leaves names of two letters alone. */
function isLetterMore(word: string, name: string): boolean {
  return name.length === 2 && word.length === 3 && word.startsWith(name);
}

/** An error, as people are told it: what, why, what to do, in three lines at most. */
function told(error: unknown, verb: string, argv: readonly string[], { err }: Streams): number {
  const failed = ENDS_AS_JOB.has(verb) ? PMAN_FAILED : FAILED;
  if (error instanceof Interrupted) return INTERRUPTED;
  const isFor = (flag: string) => argv.includes(flag);
  if (isFor('--debug')) err.line(inspect(error));
  if (isFor('--json') && (isUsage(error) || isForeseen(error))) {
    err.line(JSON.stringify(problemOf(error, verb)));
    return isForeseen(error) ? exitCodeFor(error, failed) : WRONG_USE;
  }
  if (isUsage(error)) {
    err.line(`pman: ${verb}: ${messageOf(error).replace(new RegExp(`^${verb}: `), '')}`);
    err.line(`  ${usageHint(error, verb)}`);
    return WRONG_USE;
  }
  if (error instanceof CannotError) {
    err.line(`pman: ${error.message}`);
    for (const line of error.lines) err.line(`  ${line}`);
    return exitCodeFor(error, failed);
  }
  if (error instanceof PmanClientError) {
    err.line(`pman: ${error.message}`);
    const hint = clientHint(error);
    if (hint !== undefined) err.line(`  ${hint}`);
    return failed;
  }
  err.line(`pman: ${messageOf(error)}`);
  const hint = hintOf(error);
  if (hint !== undefined) err.line(`  ${hint}`);
  return failed;
}

/** By its code and not its class: a verb that is loaded from another bundle has classes of its own. */
function isUsage(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'usage';
}

function isForeseen(error: unknown): error is CannotError | PmanClientError {
  return error instanceof CannotError || error instanceof PmanClientError;
}

const exitCodeFor = (error: CannotError | PmanClientError, failed: number) =>
  (error instanceof CannotError ? error.exitCode : undefined) ?? failed;
