import { type Job, PmanClientError } from '../client/index.ts';
import { agoText, tookText } from '../terminal/amounts.ts';
import { cutEnd, padEnd, padStart } from '../terminal/cutText.ts';
import { LiveLines } from '../terminal/liveLines.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { fieldLine } from '../terminal/table.ts';
import { eachAtMost } from './atMost.ts';
import { TimeIsOver } from './failures.ts';
import { flagValue, readWords, type Words } from './flagWords.ts';
import { titleOf } from './follow.ts';
import { untilCtrlC } from './interrupts.ts';
import { inStateColour, nameOf, shortId, signInColour, stateText, tookMs } from './jobText.ts';
import { jobLine, PRINT_FLAGS, type PrintForm, printForm } from './printJobs.ts';
import { firstFailure, selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import { requireSpan } from './spans.ts';
import type { Verb } from './verb.ts';
import { TIMED_OUT } from './verbExit.ts';

const REDRAW_MS = 1000;
/** Node's clocks run no longer, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/** `pman wait`: until jobs have ended; a line for each that ends, and the exit code of the first one that failed. */
export const wait: Verb = {
  usage: ['[flags] [JOB…]'],
  examples: [
    ['pman wait', 'the newest job; ends with its exit code'],
    ["pman wait 'train-*' && pman run ./plot", 'goes on when all have ended well'],
    ['pman wait running --timeout 1h', 'all that run now; 124 when it takes longer'],
  ],
  flags: [
    { name: 'timeout', value: 'TIME', help: 'ends with 124 after 90s, 1h30m …; the jobs go on' },
    ...PRINT_FLAGS,
    ...COMMON_FLAGS,
  ],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const limit = limitOf(words);
    const session = openSession(call, words);
    const form = printForm(words);
    // What ends after this number and before the jobs are looked at is told twice, and never missed.
    const { events } = await session.client.server();
    const jobs = await selectJobs(session, words.rest, { orNewest: true });
    const waiting = new Waiting(session, jobs, form);
    const follow = async (signal: AbortSignal) => {
      try {
        await waiting.until(events.newest, AbortSignal.any([signal, limit]));
      } catch (error) {
        waiting.clear();
        if (!limit.aborted || signal.aborted) throw error;
        throw new TimeIsOver(`the time is over: ${waiting.leftText()}`, [], TIMED_OUT);
      }
      return waiting.end();
    };
    return untilCtrlC(follow, () => waiting.tellLeft());
  },
};

/** What says that `--timeout` is over. @throws UsageError for what is no length of time */
function limitOf(words: Words): AbortSignal {
  const given = flagValue(words, 'timeout');
  if (given === undefined) return new AbortController().signal;
  return AbortSignal.timeout(Math.min(Math.ceil(requireSpan(given, '--timeout')), LONGEST_MS));
}

/** Jobs whose end is waited for. */
class Waiting {
  readonly #session: Session;
  readonly #form: PrintForm;
  readonly #jobs: Map<string, Job>;
  readonly #live: LiveLines;
  /** When something has last become of any of them. */
  #changedAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(session: Session, jobs: readonly Job[], form: PrintForm) {
    this.#session = session;
    this.#form = form;
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#changedAt = Math.max(...jobs.map(changedAt));
    const { err } = session.streams;
    this.#live = new LiveLines({ write: (text) => err.write(text), columns: () => err.columns() });
  }

  get #left(): readonly Job[] {
    return [...this.#jobs.values()].filter(
      ({ endedAt, state }) => endedAt === null && !isOver(state),
    );
  }

  /** Resolves when all have ended. Follows the events behind a number, so that nothing is missed. */
  async until(after: number, signal: AbortSignal): Promise<void> {
    for (const job of this.#jobs.values()) if (isOver(job.state)) this.#tell(job);
    if (this.#left.length === 0) return;
    this.#draw();
    if (this.#session.streams.err.canRedraw && this.#form.kind !== 'quiet') {
      this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    }
    try {
      for (let from = after; this.#left.length > 0; ) {
        try {
          await this.#follow(from, signal);
        } catch (error) {
          // Events that should have come are no longer kept: the jobs tell.
          if (!(error instanceof PmanClientError) || error.code !== 'gone') throw error;
          const { patient } = this.#session;
          from = (await patient.server({ signal })).events.newest;
          await eachAtMost(this.#left, async ({ id }) => this.#look(id, signal));
        }
      }
    } finally {
      clearInterval(this.#timer);
    }
  }

  async #follow(after: number, signal: AbortSignal): Promise<void> {
    const { patient } = this.#session;
    const wanted = { after, type: ['started', 'ended', 'removed'] as const };
    for await (const { id } of patient.events({ ...wanted, type: [...wanted.type] }, { signal })) {
      if (!this.#jobs.has(id)) continue;
      await this.#look(id, signal);
      if (this.#left.length === 0) return;
    }
  }

  async #look(id: string, signal: AbortSignal): Promise<void> {
    const before = this.#jobs.get(id);
    if (before === undefined || isOver(before.state)) return;
    try {
      const now = await this.#session.patient.job(id, { signal });
      this.#jobs.set(id, now);
      this.#changedAt = Date.now();
      if (isOver(now.state)) this.#tell(now);
    } catch (error) {
      if (!(error instanceof PmanClientError) || error.code !== 'not_found') throw error;
      // Somebody has removed it: nobody knows any more.
      this.#jobs.set(id, { ...before, state: 'lost' });
    }
    this.#draw();
  }

  #tell(job: Job): void {
    const { streams, style } = this.#session;
    const { out, signs } = streams;
    this.clear();
    if (this.#form.kind !== 'table') {
      if (this.#form.kind !== 'json') out.line(jobLine(job, this.#form));
      return;
    }
    const took = tookMs(job, Date.now());
    const name = oneLine(nameOf(job));
    if (!out.isTerminal) {
      const seconds = took === undefined ? '' : String(Math.round(took) / 1000);
      out.line(fieldLine([shortId(job.id), name, stateText(job), seconds]));
      return;
    }
    const sign = signInColour(style, signs, job.state);
    const state = inStateColour(style, job.state, padEnd(stateText(job), 10));
    const id = style.bold(shortId(job.id));
    out.line(
      `${sign} ${id}  ${padEnd(name, 16)}  ${state}  ${padStart(tookText(took), 6)}`.trimEnd(),
    );
  }

  #draw(): void {
    const { err } = this.#session.streams;
    if (!err.canRedraw || this.#form.kind === 'quiet' || this.#left.length === 0) return;
    const { speech, streams } = this.#session;
    this.#live.draw([speech.dim(cutEnd(this.leftText(), err.columns() - 1, streams.signs.mark))]);
  }

  /** `2 of 4 left · longest 7f3a9c 3m04s · last change 12 s ago`. */
  leftText(): string {
    const { signs } = this.#session.streams;
    const now = Date.now();
    const started = (job: Job) => tookMs(job, now) ?? -1;
    const [longest] = this.#left.toSorted((a, b) => started(b) - started(a));
    const took = longest === undefined ? undefined : tookMs(longest, now);
    return [
      `${this.#left.length} of ${this.#jobs.size} left`,
      ...(longest === undefined
        ? []
        : [
            took === undefined
              ? `${titleOf(longest)} ${stateText(longest)}`
              : `longest ${shortId(longest.id)} ${tookText(took)}`,
          ]),
      `last change ${agoText(now - this.#changedAt)}`,
    ].join(` ${signs.dot} `);
  }

  /** For somebody who goes: how it stands, as far as that is known. */
  tellLeft(): void {
    const { link, place, streams } = this.#session;
    const { err, signs } = streams;
    err.line(this.leftText());
    if (!link.isLost()) return;
    const ids = this.#left.map(({ id }) => shortId(id)).join(' ');
    err.line(
      `${place.url} does not answer: how they stand now is not known ${signs.dot} pman wait ${ids}`,
    );
  }

  clear(): void {
    this.#live.clear();
  }

  /** Says how all have ended. */
  end(): number {
    this.clear();
    const { streams, speech } = this.#session;
    const { out, err, signs } = streams;
    const jobs = [...this.#jobs.values()];
    if (this.#form.kind === 'json') {
      const [only] = jobs;
      out.line(JSON.stringify(jobs.length === 1 ? only : { jobs }));
    }
    const failed = jobs.filter(({ state }) => state !== 'succeeded');
    const [first] = failed;
    if (first !== undefined && err.isTerminal && this.#form.kind === 'table') {
      const next = speech.dim(` ${signs.dot} pman logs ${shortId(first.id)}`);
      err.line(`${failed.length} of ${jobs.length} failed${next}`);
    }
    return firstFailure(jobs);
  }
}

function changedAt({ acceptedAt, startedAt, endedAt }: Job): number {
  const last = endedAt ?? startedAt ?? acceptedAt;
  return last === null ? 0 : Date.parse(last);
}

function isOver(state: Job['state']): boolean {
  return state !== 'waiting' && state !== 'starting' && state !== 'running';
}
