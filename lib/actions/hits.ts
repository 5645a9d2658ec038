import { type Soon, whenThere } from '../concurrency/soon.ts';
import { freely, type Pace } from '../concurrency/turns.ts';
import { PmanError } from '../errors.ts';
import type { RootList } from '../records/index/listedJobs.ts';
import type { TreeNode } from '../tree/node.ts';
import { cutText } from '../wire/cut.ts';
import { dumps } from '../wire/pythonJson.ts';
import type { ActionResult } from '../wire/reply.ts';
import type { SearchMeta } from '../wire/request.ts';
import type { Services } from './action.ts';
import { MAX_ANSWER_CHARACTERS, pageMember, rangeOf } from './page.ts';

/** A job that a search has found. */
export interface Hit {
  readonly root: string;
  readonly record: TreeNode;
}

interface Asking {
  readonly services: Pick<Services, 'database' | 'jobs'>;
  readonly pace?: Pace | undefined;
}

/** What is told of the jobs that a search has found. */
export interface HitAnswers<T> extends Pick<ActionResult, 'page'> {
  readonly answers: readonly T[];
}

/**
 * Tells of each job that a request's `key` and `value` name, oldest first, in turns with other work. Records are read one
 * after the other and let go again. The answer ends at `limit` jobs, or when it is long enough.
 * @param answer what is told of a job; `i` counts those that are told of
 * @param weigh about how many characters that takes
 * @throws PmanError unavailable while not all records are known; what `answer` throws
 */
export function answerHits<T>(
  { services, pace = freely }: Asking,
  meta: SearchMeta,
  answer: (hit: Hit, i: number) => Soon<T>,
  weigh: (told: T) => number,
): Soon<HitAnswers<T>> {
  return whenThere(services.database.find(meta.key, meta.value, pace), (roots) => {
    const [root] = roots;
    const record = root === undefined ? undefined : services.database.tree(root);
    // Most questions are for one job: that is told at once.
    return root === undefined || record === undefined || roots.length > 1 || meta.offset
      ? answerEach({ services, pace }, { meta, roots, answer, weigh })
      : whenThere(answer({ root, record }, 0), (told) => oneAnswer(meta, told));
  });
}

function oneAnswer<T>(meta: SearchMeta, told: T): HitAnswers<T> {
  const page = pageMember(meta, 1, 1);
  return page === undefined ? { answers: [told] } : { answers: [told], page };
}

interface Hits<T> {
  readonly meta: SearchMeta;
  readonly roots: RootList;
  readonly answer: (hit: Hit, i: number) => Soon<T>;
  readonly weigh: (told: T) => number;
}

async function answerEach<T>(
  { services, pace }: Asking & { readonly pace: Pace },
  { meta, roots, answer, weigh }: Hits<T>,
): Promise<HitAnswers<T>> {
  const { database, jobs } = services;
  const total = roots.length;
  const { from, limit } = rangeOf(meta);
  const pending: Promise<T>[] = [];
  /** About how many characters each takes; one that is still to come has none yet. */
  const weights: (number | undefined)[] = [];
  let characters = 0;
  let seen = 0;
  for (const root of roots.slice(from, from + limit)) {
    if (pace.isOthersTurn) await pace.turn();
    seen += 1;
    const record = database.tree(root);
    if (record === undefined) continue; // removed meanwhile
    const told = Promise.resolve(answer({ root, record }, pending.length));
    pending.push(told);
    weights.push(undefined);
    if (jobs.isActive(root)) {
      // Its record stays in memory anyway, and many may wait for their engine at the same time.
      told.catch(() => undefined);
      continue;
    }
    const weight = weigh(await told);
    weights[weights.length - 1] = weight;
    characters += weight;
    if (characters > MAX_ANSWER_CHARACTERS) break;
  }
  const answers = within(await Promise.all(pending), (told, i) => weights[i] ?? weigh(told));
  const left = pending.length - answers.length;
  const page = pageMember(meta, total, seen - left);
  return { answers, ...(page && { page }) };
}

/** As many from the beginning as an answer has room for, at least one. */
function within<T>(all: readonly T[], weigh: (told: T, i: number) => number): readonly T[] {
  let characters = 0;
  const first = all.findIndex((told, i) => {
    characters += weigh(told, i);
    return characters > MAX_ANSWER_CHARACTERS;
  });
  return first < 0 ? all : all.slice(0, Math.max(first, 1));
}

/** @throws PmanError not_found when no job is named */
export function requireAnswers({ answers, page }: HitAnswers<unknown>, meta: SearchMeta): void {
  if (answers.length === 0 && !page?.total) throw noSuchJob(meta);
}

/**
 * The names of the jobs that a request means, oldest first: for what is done to each of them, however many they are.
 * @throws PmanError not_found when no job is named, unavailable while not all records are known
 */
export async function requireRoots(
  { services: { database }, pace }: Asking,
  meta: Pick<SearchMeta, 'key' | 'value'>,
): Promise<readonly string[]> {
  const roots = [...(await database.find(meta.key, meta.value, pace))];
  if (roots.length === 0) throw noSuchJob(meta);
  return roots;
}

/** What is to be said of a search that finds nothing. */
export function noSuchJob({ key, value }: Pick<SearchMeta, 'key' | 'value'>): PmanError {
  return new PmanError(
    'not_found',
    `no job has ${cutText(key, 200)} ${dumps(value).slice(0, 200)}`,
    {
      hint: 'GET /api/v1 lists the jobs',
    },
  );
}
