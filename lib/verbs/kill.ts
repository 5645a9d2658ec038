import { type Job, PmanClientError } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { DEED_FLAGS, doToJobs, namesMany, standText } from './deeds.ts';
import { flagValue, readWords } from './flagWords.ts';
import { shortId } from './jobText.ts';
import { nextOfKilled } from './nextCommands.ts';
import { refusedFlag } from './refusedFlag.ts';
import { ACTIVE, selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import { requireSpan } from './spans.ts';
import type { Verb } from './verb.ts';
import { signalName } from './verbExit.ts';

/** For so long the end of a killed job is waited for, to say it. */
const END_MS = 3000;

const USUAL_SIGNALS = ['TERM', 'INT', 'HUP', 'QUIT', 'KILL', 'USR1', 'USR2', 'STOP', 'CONT'];

/** `pman kill`: ends jobs, and says what ended. It never acts without being told on which. */
export const kill: Verb = {
  usage: ['[flags] JOB…'],
  examples: [
    ['pman kill 7f3a', 'ends it: TERM, and KILL to what is left later'],
    ['pman kill -s INT nightly', 'another signal'],
    ['pman kill -y running', 'all that run'],
  ],
  flags: [
    {
      ...{ name: 'signal', short: 's', value: 'NAME', usual: USUAL_SIGNALS },
      help: 'which one (default: TERM)',
    },
    { name: 'grace', value: 'TIME', help: 'until what is left gets KILL: 10s' },
    ...DEED_FLAGS,
    { name: 'json', help: 'one document for programs' },
    { name: 'quiet', short: 'q', help: 'ids only' },
    ...COMMON_FLAGS,
  ],
  notes: ['A pattern means those alone that have not ended.'],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const signal = flagValue(words, 'signal')?.replace(/^SIG/i, '').toUpperCase();
    if (signal !== undefined && !/^([A-Z][A-Z0-9+-]*|\d{1,2})$/.test(signal)) {
      throw new UsageError(`-s ${JSON.stringify(signal)} is no signal, such as INT`);
    }
    const grace = flagValue(words, 'grace');
    const order = {
      ...(signal === undefined ? {} : { signal }),
      ...(grace === undefined ? {} : { grace: requireSpan(grace, '--grace') / 1000 }),
    };
    const jobs = await selectJobs(session, words.rest, {
      ...{ among: ACTIVE, patternsAreNarrowed: true },
    });
    const asks = jobs.length > 1 && words.rest.some(namesMany);
    return doToJobs(session, words, jobs, {
      ...{ name: 'kill', would: 'would be killed', asks, next: nextOfKilled },
      refused: ({ endedAt }) => (endedAt === null ? undefined : { why: 'has ended' }),
      act: async (job) => {
        try {
          await session.client.kill(job, order);
        } catch (error) {
          throw refusedFlag(error, words);
        }
        return ended(session, job);
      },
      said: (job, after = job) =>
        after.endedAt === null ? sentText(signal ?? 'TERM', shortId(job.id)) : standText(after),
    });
  },
};

/** Signals that are sent to end a job: one that then still runs has not obeyed. */
const ENDING: readonly string[] = ['TERM', 'INT', 'QUIT', 'HUP', 'ABRT'];

/** Of a job that goes on after a signal. KILL is offered where the end was meant: not after STOP, CONT, USR1 and the like. */
function sentText(signal: string, id: string): string {
  const sent = `was sent ${signal}`;
  const name = /^\d+$/.test(signal) ? signalName(-Number(signal)) : signal;
  if (name === 'KILL') return `${sent} and still runs`;
  return ENDING.includes(name) ? `${sent} and still runs; pman kill -s KILL ${id}` : sent;
}

/** How it has ended, or how it stands when that takes long. */
async function ended({ client }: Session, job: Job): Promise<Job | undefined> {
  const signal = AbortSignal.timeout(END_MS);
  try {
    return await client.wait(job, { signal });
  } catch (error) {
    if (signal.aborted) return client.job(job);
    if (error instanceof PmanClientError && error.code === 'not_found') return undefined;
    throw error;
  }
}
