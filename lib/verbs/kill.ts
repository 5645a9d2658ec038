import { UsageError } from '../errors.ts';
import { DEED_FLAGS, doToJobs, namesMany, standText } from './deeds.ts';
import { flagValue, readWords } from './flagWords.ts';
import { shortId } from './jobText.ts';
import { type Ends, endsOf } from './killEnds.ts';
import { nextOfKilled } from './nextCommands.ts';
import { refusedFlag } from './refusedFlag.ts';
import { ACTIVE, selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import { requireSpan } from './spans.ts';
import type { Verb } from './verb.ts';
import { signalName } from './verbExit.ts';

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
    const { client, place } = session;
    const sent = nameOfSignal(signal ?? 'TERM');
    const isEnd = sent === 'KILL' || ENDING.includes(sent);
    let before: Promise<number> | undefined;
    let ends: Ends | undefined;
    return doToJobs(session, words, jobs, {
      ...{ name: 'kill', would: 'would be killed', asks, next: nextOfKilled },
      refused: ({ endedAt }) => (endedAt === null ? undefined : { why: 'has ended' }),
      act: async (job) => {
        if (isEnd) {
          before ??= client.server().then(({ events }) => events.newest);
          await before;
        }
        try {
          return await client.kill(job, order);
        } catch (error) {
          throw refusedFlag(error, words);
        }
      },
      settle: async (ordered) => {
        if (before === undefined) return new Map();
        ends = await endsOf(client, ordered, await before);
        return ends.known;
      },
      said: (job, after = job) => {
        if (ends?.unknown.has(job.id)) {
          return `was sent ${signal ?? 'TERM'}; ${place.url} does not answer: whether it runs is not known`;
        }
        return after.endedAt === null
          ? sentText(signal ?? 'TERM', shortId(job.id))
          : standText(after);
      },
    });
  },
};

/** Signals that are sent to end a job: one that then still runs has not obeyed. */
const ENDING: readonly string[] = ['TERM', 'INT', 'QUIT', 'HUP', 'ABRT'];

/** The name of a signal that may be given by its number. */
const nameOfSignal = (signal: string) =>
  /^\d+$/.test(signal) ? signalName(-Number(signal)) : signal;

/** Of a job that goes on after a signal. KILL is offered where the end was meant: not after STOP, CONT, USR1 and the like. */
function sentText(signal: string, id: string): string {
  const sent = `was sent ${signal}`;
  const name = nameOfSignal(signal);
  if (name === 'KILL') return `${sent} and still runs`;
  return ENDING.includes(name) ? `${sent} and still runs; pman kill -s KILL ${id}` : sent;
}
