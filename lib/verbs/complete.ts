import { PmanClient } from '../client/index.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { SHELL_SCRIPTS } from './completionScripts.ts';
import { contextNames } from './contextNames.ts';
import { type Flag, readWords } from './flagWords.ts';
import { httpTransport } from './httpTransport.ts';
import { VERBS, type VerbRow, verbRow } from './index.ts';
import { nameOf, shortId, stateText } from './jobText.ts';
import { STATE_SELECTORS } from './selectors.ts';
import { SERVER_FLAGS, serverPlace } from './serverPlace.ts';
import { SHORT, type ShownJob } from './shownJob.ts';
import type { Streams } from './streams.ts';
import { TOPICS } from './topics.ts';
import type { Verb } from './verb.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A word that may stand at the cursor, and what it is. */
type Candidate = readonly [word: string, about: string];

/** Whoever presses a key does not wait for a server that is away. */
const PATIENCE_MS = 1500;
const MOST_JOBS = 100;

/**
 * `pman __complete WORD…`: what the last of the words may become, for the scripts of `pman completion`. It says nothing of
 * failures: people are typing.
 */
export async function complete(
  argv: readonly string[],
  env: Env,
  { out }: Streams,
): Promise<number> {
  const before = argv.slice(0, -1);
  const word = argv.at(-1) ?? '';
  try {
    for (const line of await candidates(before, word, env)) out.line(line);
  } catch {
    // No candidates.
  }
  return 0;
}

async function candidates(
  before: readonly string[],
  word: string,
  env: Env,
): Promise<readonly string[]> {
  const [name, ...behind] = before;
  if (name === undefined && word.startsWith('-'))
    return flagWords(word, await ownFlags('serve'), env);
  if (name === undefined) return fitting(word, [...verbNames(), ['help', 'what a command takes']]);
  if (name === 'help') {
    const topics = [...TOPICS.keys()].map((topic): Candidate => [topic, 'a topic']);
    return fitting(word, [...verbNames(), ...topics]);
  }
  // Flags alone are those of the server.
  const row = name.startsWith('-') ? verbRow('serve') : verbRow(name);
  if (row === undefined) return [];
  const verb = await row.load?.();
  if (behind.includes('--')) return [':files'];
  const flags = row.most === 'own' ? await ownFlags(row.name, behind[0]) : (verb?.flags ?? []);
  const asked = flagBefore(before.at(-1), flags);
  if (asked !== undefined) return valuesOf(asked, word, env);
  if (word.startsWith('-')) return flagWords(word, flags, env);
  if (verb === undefined) return [];
  return positionals(row, verb, behind, word, env);
}

function verbNames(): readonly Candidate[] {
  return VERBS.map(({ name, help }): Candidate => [name, help]);
}

/** The flags of a verb that has a reader of its own for its words. */
async function ownFlags(name: string, what = ''): Promise<readonly Flag[]> {
  const { serverFlags, tokenFlags } = await import('./programFlags.ts');
  return name === 'token' ? tokenFlags(what) : serverFlags();
}

/** The flag that waits for its value. */
function flagBefore(word: string | undefined, flags: readonly Flag[]): Flag | undefined {
  return flags.find(
    ({ name, short, value }) =>
      value !== undefined &&
      (word === `--${name}` || (short !== undefined && word === `-${short}`)),
  );
}

function flagWords(word: string, flags: readonly Flag[], env: Env): readonly string[] {
  const [start = '', value] = word.split(/=(.*)/s);
  const flag = flags.find(({ name }) => `--${name}` === start);
  if (value !== undefined && flag !== undefined) {
    return valuesOf(flag, value, env).map((line) =>
      line.startsWith(':') ? line : `${start}=${line}`,
    );
  }
  return fitting(word, [
    ...flags.map(({ name, help }): Candidate => [`--${name}`, help]),
    ['--help', 'what it takes'],
  ]);
}

function valuesOf(
  { name, among, usual, value = '' }: Flag,
  word: string,
  env: Env,
): readonly string[] {
  const known = among ?? usual;
  if (known !== undefined)
    return fitting(
      word,
      known.map((one): Candidate => [one, '']),
    );
  if (name === 'context') {
    return fitting(
      word,
      contextNames(env).names.map((one): Candidate => [one, 'a context']),
    );
  }
  if (value === 'FILE' || value === 'PATH') return [':files'];
  return value === 'DIR' || value === 'FOLDER' ? [':folders'] : [];
}

async function positionals(
  { name }: VerbRow,
  { usage, takesCommand }: Verb,
  behind: readonly string[],
  word: string,
  env: Env,
): Promise<readonly string[]> {
  if (name === 'completion')
    return fitting(
      word,
      [...SHELL_SCRIPTS.keys()].map((one) => [one, '']),
    );
  if (name === 'token') {
    return behind.length > 0
      ? []
      : fitting(word, [
          ['add', 'adds one and prints it'],
          ['list', 'shows what there are'],
          ['revoke', 'removes one'],
        ]);
  }
  if (takesCommand === true || usage.some((line) => /\bPATH\b|\bFOLDER\b/.test(line)))
    return [':files'];
  if (!usage.some((line) => /\bJOB\b/.test(line))) return [];
  const jobs = await newestJobs(behind, env);
  const states = usage.some((line) => /STATE|JOB\u2026/.test(line)) ? STATE_SELECTORS : [];
  return fitting(word, [
    ...jobs.map(
      (job): Candidate => [shortId(job.id), `${oneLine(nameOf(job))}  ${stateText(job)}`],
    ),
    // Names are typed where ids are not.
    ...(word === '' ? [] : jobs.flatMap((job) => namesOf(job))),
    ...states.map((state): Candidate => [state, 'all in this state']),
  ]);
}

function namesOf(job: ShownJob): readonly Candidate[] {
  return job.jid === null ? [] : [[job.jid, `${shortId(job.id)}  ${stateText(job)}`]];
}

async function newestJobs(behind: readonly string[], env: Env): Promise<readonly ShownJob[]> {
  const words = readWords(behind.filter(isOfServer), SERVER_FLAGS);
  const { url, token, ca } = serverPlace(words, env);
  const client = new PmanClient({
    ...{ url, fetch: httpTransport(ca), patienceMs: 0 },
    ...(token === undefined ? {} : { token }),
  });
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return (await client.jobPage({ limit: MOST_JOBS, fields: SHORT }, { signal })).jobs;
}

/** A flag about the server and its value, whatever else is on the line. */
function isOfServer(word: string, place: number, all: readonly string[]): boolean {
  const isFlag = (one: string | undefined) => SERVER_FLAGS.some(({ name }) => one === `--${name}`);
  return (
    isFlag(word) ||
    isFlag(all[place - 1]) ||
    SERVER_FLAGS.some(({ name }) => word.startsWith(`--${name}=`))
  );
}

function fitting(word: string, all: readonly Candidate[]): readonly string[] {
  const seen = new Set<string>();
  return all
    .filter(([one]) => {
      const isNew = one.startsWith(word) && !seen.has(one) && !/[\t\n]/.test(one);
      seen.add(one);
      return isNew;
    })
    .map(([one, about]) => (about === '' ? one : `${one}\t${about}`));
}
