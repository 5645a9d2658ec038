import type { EventQuery, JobEvent } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { countOf } from './counts.ts';
import { EVENT_STATES, EventLines, eventFields } from './eventLine.ts';
import { flagValue, readWords, type Words } from './flagWords.ts';
import { untilCtrlC } from './interrupts.ts';
import { labelsWanted } from './newJobFlags.ts';
import { selectOne } from './selectors.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import type { Verb } from './verb.ts';

const TYPES = [
  ...['accepted', 'waiting', 'started', 'part_ended', 'kill_ordered', 'ended', 'removed'],
] as const;

/** `pman events`: what happens to jobs, a line each, as it happens. */
export const events: Verb = {
  usage: ['[flags] [JOB]'],
  examples: [
    ['pman events', 'from now on; Ctrl-C ends it'],
    ['pman events --type ended --state failed', 'what fails'],
    ['pman events --after 0 --json', 'all that is kept, an object a line'],
  ],
  flags: [
    { name: 'type', value: 'TYPES', help: `with commas between: ${TYPES.join(', ')}` },
    { name: 'state', value: 'STATES', help: 'those after which a job is in one of these' },
    { name: 'name', value: 'NAME', help: 'of the jobs of this name (jid)' },
    { name: 'user', value: 'NAME', help: 'of the jobs of somebody (auid)' },
    { name: 'label', value: 'NAME=VALUE', isList: true, help: 'of the jobs that have it' },
    { name: 'after', value: 'N', help: 'those behind this number, too; 0: all that are kept' },
    { name: 'lines', short: 'n', value: 'N', help: 'ends after so many' },
    { name: 'json', help: 'an object a line, as the API has it' },
    ...COMMON_FLAGS,
  ],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const most = countOf(words, 'lines') ?? Number.POSITIVE_INFINITY;
    const query = await queryOf(session, words);
    const { streams, style } = session;
    const { out, signs } = streams;
    const lines = new EventLines();
    const lineOf = (event: JobEvent) => {
      if (words.switches.has('json')) return JSON.stringify(event);
      if (!out.isTerminal) return eventFields(event);
      return lines.line(event, { columns: out.columns(), style, signs });
    };
    return untilCtrlC(async (signal) => {
      let count = 0;
      // A server that is not there is an error; one that goes away is waited for.
      await session.client.server({ signal });
      if (most === 0) return 0;
      for await (const event of session.patient.events(query, { signal })) {
        out.line(lineOf(event));
        await out.ready();
        count += 1;
        if (count >= most) break;
      }
      return 0;
    });
  },
};

async function queryOf(session: Session, words: Words): Promise<EventQuery> {
  const { rest } = words;
  const after = countOf(words, 'after');
  const jid = flagValue(words, 'name');
  const auid = flagValue(words, 'user');
  const label = labelsWanted(words);
  const type = list(words, 'type', TYPES);
  const state = list(words, 'state', EVENT_STATES);
  const job = rest.length === 0 ? undefined : await selectOne(session, rest);
  return {
    ...(job === undefined ? {} : { id: job.id }),
    ...(after === undefined ? {} : { after }),
    ...(jid === undefined ? {} : { jid }),
    ...(auid === undefined ? {} : { auid }),
    ...(label === undefined ? {} : { label }),
    ...(type === undefined ? {} : { type }),
    ...(state === undefined ? {} : { state }),
  };
}

/** @throws UsageError for a word that is none of those there are */
function list<Word extends string>(
  words: Words,
  flag: string,
  known: readonly Word[],
): Word[] | undefined {
  const text = flagValue(words, flag);
  return text?.split(',').map((word) => {
    const found = known.find((one) => one === word.trim());
    if (found !== undefined) return found;
    throw new UsageError(`--${flag} ${JSON.stringify(word)} is none of ${known.join(', ')}`);
  });
}
