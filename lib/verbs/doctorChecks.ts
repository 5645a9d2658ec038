import {
  type Backends,
  type Capabilities,
  PmanClientError,
  type ServerFacts,
} from '../client/index.ts';
import { messageOf } from '../errors.ts';
import { bytesText, tookText } from '../terminal/amounts.ts';
import { TOKEN_HINT } from './clientHint.ts';
import { contextNames } from './contextNames.ts';
import { httpTransport } from './httpTransport.ts';
import { isHere, pageUrl } from './serverUrl.ts';
import type { Session } from './session.ts';
import { whyUnreachable } from './whyUnreachable.ts';

/** What was looked at; `none` is neither right nor wrong. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'none';
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** How long a server may take to answer. */
const PATIENCE_MS = 10_000;

/** Looks at a server and at the way to it. What cannot be known without the server is left out. */
export async function checkServer(session: Session, env: Env): Promise<readonly Check[]> {
  const { client, place } = session;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const startedMs = performance.now();
  let facts: ServerFacts;
  try {
    facts = await client.server({ signal });
  } catch (error) {
    return [...unanswered(error, place.url), contextsOf(env)];
  }
  const answerMs = performance.now() - startedMs;
  // Now: an engine that is asked below may take its time.
  const clock = clockOf(facts, answerMs);
  const [capabilities, standing, page] = await Promise.all([
    client.capabilities({ signal }),
    client.backends({ signal }),
    hasPage(session, signal),
  ]);
  return [
    {
      ...{ name: 'server', state: 'ok' },
      text: `${place.url}, pman ${facts.version}, answered in ${Math.max(1, Math.round(answerMs))} ms, up ${tookText(facts.uptimeSeconds * 1000)}`,
    },
    tokenOf(session),
    clock,
    databaseOf(facts),
    diskOf(facts),
    ...backendsOf(capabilities, standing),
    limitsOf(facts),
    page
      ? { name: 'page', state: 'ok', text: pageUrl(place.url) }
      : { name: 'page', state: 'none', text: 'this server has none' },
    contextsOf(env),
  ];
}

function unanswered(error: unknown, url: string): Check[] {
  if (!(error instanceof PmanClientError)) {
    const text = `${url} does not answer: ${messageOf(error)}`;
    return [
      { name: 'server', state: 'failed', text, hint: 'is it busy, or something else than pman?' },
    ];
  }
  const { code, message, cause, hint } = error;
  if (code === 'unauthorized' || code === 'forbidden' || code === 'too_many_tries') {
    const state = code === 'forbidden' ? 'the token may not read' : message;
    return [
      { name: 'server', state: 'ok', text: `${url} answers` },
      {
        ...{ name: 'token', state: 'failed', text: state },
        hint: code === 'unauthorized' ? TOKEN_HINT : (hint ?? TOKEN_HINT),
      },
    ];
  }
  const isAway = code === 'unreachable';
  const { why, todo } = whyUnreachable(cause);
  const text = isAway && why !== undefined ? `${message}: ${why}` : message;
  const next = isAway ? todo : hint;
  const check = { name: 'server', state: 'failed', text } as const;
  return [next === undefined ? check : { ...check, hint: next }];
}

function tokenOf({ place }: Session): Check {
  if (place.token !== undefined) return { name: 'token', state: 'ok', text: 'is taken' };
  const text = 'none is wanted: whoever reaches this server runs commands';
  return isHere(place.url)
    ? { name: 'token', state: 'none', text }
    : { name: 'token', state: 'failed', text, hint: 'start it with --enableTokenAuth' };
}

const MOST_APART_MS = 2000;

function clockOf({ startedAt, uptimeSeconds }: ServerFacts, answerMs: number): Check {
  const there = Date.parse(startedAt) + uptimeSeconds * 1000 + answerMs / 2;
  const apart = Math.abs(Date.now() - there);
  if (apart <= MOST_APART_MS + answerMs)
    return { name: 'clock', state: 'ok', text: 'the same as here' };
  const way = there > Date.now() ? 'ahead of' : 'behind';
  return {
    ...{ name: 'clock', state: 'failed' },
    text: `the server is ${tookText(apart)} ${way} this machine`,
    hint: 'set the clocks (NTP): ages and times come out wrong',
  };
}

function databaseOf({ disk, jobs }: ServerFacts): Check {
  const count = `${jobs.recorded} ${jobs.recorded === 1 ? 'job' : 'jobs'}`;
  if (disk.problem === null) {
    return { name: 'database', state: 'ok', text: `can be written, ${count}` };
  }
  return {
    ...{ name: 'database', state: 'failed' },
    text: `cannot be written: ${disk.problem}`,
    hint: 'make room, mend the rights of its folder, or put the folder back where it was',
  };
}

const LEAST_SHARE = 0.05;
const LEAST_BYTES = 1024 ** 3;

function diskOf({ disk: { freeBytes, totalBytes } }: ServerFacts): Check {
  const share = totalBytes > 0 ? freeBytes / totalBytes : 1;
  const text = `${bytesText(freeBytes)} free (${Math.floor(share * 100)} %)`;
  // A small part of a large disk is much.
  if (share >= LEAST_SHARE || freeBytes >= 50 * LEAST_BYTES) {
    return { name: 'disk', state: 'ok', text };
  }
  return { name: 'disk', state: 'failed', text, hint: 'pman clean --older 7d removes old jobs' };
}

/** What runs jobs, and whether it could run one now. */
function backendsOf(
  { backends }: Capabilities,
  { backends: standing }: Backends,
): readonly Check[] {
  const checks = backends.map(({ name, runs }): Check => {
    const kinds = runs.map((kind) => WHAT_RUNS[kind]).join(', ');
    const now = standing.find((one) => one.name === name);
    if (now === undefined || now.state === 'ready')
      return { name, state: 'ok', text: `answers, runs ${kinds}` };
    // A swarm is what pman looks for when nobody says: without a socket, nobody has wanted one.
    const { state, problem, hint } = now;
    const isUnwanted = name === UNASKED && state === 'absent';
    return {
      ...{ name, state: isUnwanted ? 'none' : 'failed' },
      text: `runs no ${kinds} now: ${problem}`,
      ...(hint === null ? {} : { hint }),
    };
  });
  if (backends.some(({ runs }) => runs.includes('image'))) return checks;
  return [
    ...checks,
    { name: 'engine', state: 'none', text: 'no engine: jobs with an image will be refused' },
  ];
}

const UNASKED = 'swarm';
const WHAT_RUNS = { command: 'commands', ssh: 'commands by ssh', image: 'images' } as const;

/** What holds jobs of this host to their limits, by what. */
function limitsOf({ limitedBy }: ServerFacts): Check {
  const rows = Object.entries(limitedBy);
  const all = rows.map(([what, how]) => `${what} by ${how}`).join(', ');
  if (rows.every(([, how]) => how === 'cgroup'))
    return { name: 'limits', state: 'ok', text: `${all}: a job is held to them as a whole` };
  return {
    ...{ name: 'limits', state: 'none' },
    text: all,
    hint: 'each process by itself, not a job as a whole: see docs/security.md',
  };
}

/** Whether there is a page, as a browser asks for it. */
async function hasPage({ place }: Session, signal: AbortSignal): Promise<boolean> {
  const { url, token, ca } = place;
  const headers = {
    Accept: 'text/html',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  try {
    const answer = await httpTransport(ca)(pageUrl(url), { method: 'GET', headers, signal });
    return answer.status === 200 && /<html/i.test(await answer.text());
  } catch {
    return false;
  }
}

function contextsOf(env: Env): Check {
  const { names, current } = contextNames(env);
  if (names.length === 0) return { name: 'contexts', state: 'none', text: 'none' };
  const shown = names.map((name) => (name === current ? `${name} (current)` : name)).join(', ');
  return { name: 'contexts', state: 'ok', text: shown };
}
