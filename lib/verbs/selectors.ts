import { userInfo } from 'node:os';
import { type Job, type JobQuery, PmanClientError } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { CannotError, NoSuchJob } from './failures.ts';
import { nameOf, shortId } from './jobText.ts';
import type { Session } from './session.ts';
import { exitCodeOf } from './verbExit.ts';

export const STATES = [
  ...['waiting', 'starting', 'running', 'succeeded', 'failed', 'killed', 'lost'],
] as const;
type State = Job['state'];

/** What `kill` is about. */
export const ACTIVE: readonly State[] = ['waiting', 'starting', 'running'];

/** What `rm` is about. */
export const ENDED: readonly State[] = ['succeeded', 'failed', 'killed', 'lost'];

/** Words that stand for all jobs in some states. */
const STATE_WORDS: ReadonlyMap<string, readonly State[]> = new Map([
  ['waiting', ['waiting']],
  ['running', ['running', 'starting']],
  ['failed', ['failed']],
  ['killed', ['killed']],
  ['lost', ['lost']],
  ['ok', ['succeeded']],
  ['succeeded', ['succeeded']],
  ['active', ACTIVE],
  ['ended', ENDED],
]);

export const STATE_SELECTORS: readonly string[] = [...STATE_WORDS.keys()];

/** The states that a word stands for; undefined for a word that names something else. */
export function statesOf(word: string): readonly State[] | undefined {
  return STATE_WORDS.get(word);
}

/** Who the jobs of this process are for. */
export function ownAuid({ place }: Pick<Session, 'place'>): string {
  if (place.auid !== undefined) return place.auid;
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

export interface SelectOptions {
  /** Whether no selector means the newest job of the caller. */
  readonly orNewest?: boolean;
  /** Whether a word that names no job is none, and no error. */
  readonly mayBeNone?: boolean;
  /** How words for states are narrowed further; default: not at all. */
  readonly among?: readonly State[];
  /** Whether a pattern means those alone that are `among` these. */
  readonly patternsAreNarrowed?: boolean;
}

/**
 * The jobs that the words of a command line name, in that order, each once.
 * @throws CannotError for a word that names no job, or several by what is to name one; UsageError for none, or for
 * an empty word
 */
export async function selectJobs(
  session: Session,
  words: readonly string[],
  { orNewest = false, mayBeNone = false, ...narrowed }: SelectOptions = {},
): Promise<readonly Job[]> {
  if (words.length === 0) {
    if (!orNewest) throw new UsageError('say which jobs: an id, a name, or a state such as failed');
    return [await newest(session, 1)];
  }
  // What "$UNSET" becomes: it is no word for all jobs without a name.
  if (words.includes('')) throw new UsageError('a word that is to name a job is empty');
  const found = new Map<string, Job>();
  for (const word of words) {
    const jobs = await jobsOf(session, word, narrowed);
    if (jobs === undefined && !mayBeNone) throw await unknownJob(session, word);
    for (const job of jobs ?? []) found.set(job.id, job);
  }
  return [...found.values()];
}

/** The one job that the words name: the newest one without any. */
export async function selectOne(session: Session, words: readonly string[]): Promise<Job> {
  const [job, ...others] = await selectJobs(session, words, { orNewest: true });
  if (job !== undefined && others.length === 0) return job;
  throw new UsageError(`${others.length + 1} jobs are named, and it takes one`);
}

/** Undefined for a word that names no job. */
async function jobsOf(
  session: Session,
  word: string,
  { among, patternsAreNarrowed = false }: Pick<SelectOptions, 'among' | 'patternsAreNarrowed'>,
): Promise<readonly Job[] | undefined> {
  const states = statesOf(word);
  if (states !== undefined) {
    const state = states.filter((one) => among === undefined || among.includes(one));
    // What is removed has ended, what is killed has not: the word means none that it could be done to.
    if (state.length === 0) throw new CannotError(`what is ${word} ${hasNotWhat(among ?? [])}`);
    return all(session, { state: [...state] });
  }
  if (/^@\d+$/.test(word)) return [await newest(session, Number(word.slice(1)))];
  if (/[*?]/.test(word)) {
    const narrowed = patternsAreNarrowed ? among : undefined;
    const jobs = await all(session, { name: word, ...(narrowed && { state: [...narrowed] }) });
    if (jobs.length > 0) return jobs;
    if (narrowed !== undefined) await refuseOthers(session, word, narrowed);
    return undefined;
  }
  const job = await byIdOrName(session, word);
  return job === undefined ? undefined : [job];
}

/** @throws CannotError for a pattern that fits jobs, none of which is in one of the states that are meant */
async function refuseOthers(
  { client }: Session,
  pattern: string,
  meant: readonly State[],
): Promise<void> {
  const { jobs } = await client.jobPage({ name: pattern, limit: 1 });
  if (jobs.length === 0) return;
  const how = meant.includes('running') ? 'have all ended' : 'have not ended';
  throw new CannotError(`the jobs that ${JSON.stringify(pattern)} names ${how}`);
}

const hasNotWhat = (meant: readonly State[]) =>
  meant.includes('running') ? 'has ended already' : 'has not ended';

async function byIdOrName(session: Session, word: string): Promise<Job | undefined> {
  const { client } = session;
  const isIdLike = /^[0-9a-f]{4,8}(-[0-9a-f-]*)?$/i.test(word) || /^\d{14}\./.test(word);
  const byId = isIdLike ? await found(client.job(word)) : undefined;
  const named = byId?.id === word ? [] : (await client.jobPage({ jid: word, limit: 6 })).jobs;
  const jobs = [
    ...(byId === undefined ? [] : [byId]),
    ...named.filter(({ id }) => id !== byId?.id),
  ];
  const [only, ...others] = jobs;
  if (only === undefined || others.length === 0) return only;
  const count = jobs.length > 5 ? 'more than 5' : String(jobs.length);
  throw new CannotError(`${count} jobs are meant by ${JSON.stringify(word)}; nothing was done`, [
    jobs.slice(0, 5).map(listed).join(', '),
    jobs.length > 5 ? 'pman ls -a lists all; name them by their ids' : 'name them by their ids',
  ]);
}

/** Undefined for a job that is not there. */
async function found(call: Promise<Job>): Promise<Job | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof PmanClientError && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function newest(session: Session, place: number): Promise<Job> {
  const { client } = session;
  const auid = ownAuid(session);
  // @0 is none: then they are counted, as far as one page goes.
  const limit = place < 1 ? MOST_PLACES : Math.min(place, MOST_PLACES);
  const { jobs } = await client.jobPage({ auid, limit });
  const job = place < 1 ? undefined : jobs[place - 1];
  if (job !== undefined) return job;
  if (jobs.length === 0) {
    throw new NoSuchJob(`no job of ${auid} yet`, ['pman ls -a lists those of all']);
  }
  const count = jobs.length === MOST_PLACES ? `${MOST_PLACES} jobs or more` : jobsText(jobs.length);
  const first = place < 1 ? '; @1 is the newest one' : '';
  throw new NoSuchJob(`there is no @${place}: ${auid} has ${count}${first}`);
}

/** What one page of a list holds. */
const MOST_PLACES = 1000;

const jobsText = (count: number) => `${count} ${count === 1 ? 'job' : 'jobs'}`;

async function all({ client }: Session, query: JobQuery): Promise<readonly Job[]> {
  const jobs: Job[] = [];
  for await (const job of client.jobs({ ...query, limit: 1000 })) jobs.push(job);
  return jobs;
}

/** What may have been meant, and how many there are. */
async function unknownJob({ client }: Session, word: string): Promise<CannotError> {
  const beginning = word.replace(/[*?].*$/, '');
  const [named, unnamed, called, { jobs: counts }] = await Promise.all([
    beginning === '' ? [] : jobsWhere(client, { name: `${beginning.slice(0, 3)}*`, limit: 3 }),
    beginning === '' ? [] : jobsWhere(client, { find: beginning, limit: 50 }),
    ID_BEGINS.test(beginning) ? jobsWhere(client, { find: beginning.slice(0, 2), limit: 200 }) : [],
    client.server(),
  ]);
  const alike = called.filter(({ id }) => shortId(id).startsWith(beginning.slice(0, 2)));
  const likeness = ({ id }: Job) => -lettersShared(shortId(id), beginning);
  alike.sort((a, b) => likeness(a) - likeness(b));
  // A list shows a job without a name by its program.
  const shownSo = unnamed.filter((job) => nameOf(job).startsWith(beginning));
  const near = new Map([...alike, ...named, ...shownSo].map((job) => [job.id, job]));
  const shown = [...near.values()].slice(0, 3).map(listed);
  const lines = [
    ...(shown.length === 0 ? [] : [`near it: ${shown.join(', ')}`]),
    `pman ls -a lists all ${counts.recorded}`,
  ];
  return new NoSuchJob(`no job ${JSON.stringify(word)}`, lines);
}

/** What may be meant for the beginning of an id. */
const ID_BEGINS = /^[0-9a-f]{2,8}$/;

async function jobsWhere(client: Session['client'], query: JobQuery): Promise<readonly Job[]> {
  return (await client.jobPage(query)).jobs;
}

/** How many letters two words have in common from their beginning. */
function lettersShared(a: string, b: string): number {
  const letters = [...a];
  const end = letters.findIndex((letter, i) => letter !== b[i]);
  return end < 0 ? letters.length : end;
}

const listed = (job: Job) => `${shortId(job.id)} ${oneLine(nameOf(job))}`;

/** The exit code of several jobs: that of the first one, as they were named, that did not end well. */
export function firstFailure(jobs: readonly Job[]): number {
  return jobs.map(exitCodeOf).find((code) => code !== 0) ?? 0;
}
