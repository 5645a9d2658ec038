import { PmanClientError } from '../client/index.ts';
import { DEED_FLAGS, doToJobs, namesMany } from './deeds.ts';
import { tellDryRun } from './dryRun.ts';
import { readWords } from './flagWords.ts';
import { shortId } from './jobText.ts';
import { isOldEnough } from './older.ts';
import { ENDED, selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import type { Verb } from './verb.ts';

/** `pman rm`: removes jobs that have ended, with all that is kept of them. */
export const rm: Verb = {
  usage: ['[flags] JOB…', '--ended [--older TIME]'],
  notes: ['A pattern means those alone that have ended.'],
  examples: [
    ['pman rm 7f3a 9d4e', 'two jobs, with what they have written'],
    ['pman rm --ended --older 7d', 'what has ended a week ago'],
    ["pman rm --dry-run 'test-*'", 'says which, and does nothing'],
  ],
  flags: [
    { name: 'ended', help: 'as the word ended' },
    { name: 'older', value: 'TIME', help: 'of these, those that ended so long ago: 12h, 7d' },
    ...DEED_FLAGS,
    { name: 'json', help: 'one document for programs' },
    { name: 'quiet', short: 'q', help: 'ids only' },
    ...COMMON_FLAGS,
  ],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const named = [...words.rest, ...(words.switches.has('ended') ? ['ended'] : [])];
    const isOld = isOldEnough(words);
    const found = await selectJobs(session, named, {
      ...{ among: ENDED, patternsAreNarrowed: true },
    });
    const jobs = found.filter(isOld);
    if (words.switches.has('dry-run')) {
      return tellDryRun(session, words, jobs, { would: () => 'would be removed' });
    }
    return doToJobs(session, words, jobs, {
      ...{ name: 'remove', would: 'would be removed' },
      asks: jobs.length > 1 && named.some(namesMany),
      act: async (job) => {
        await session.client.remove(job);
        return undefined;
      },
      said: () => 'removed',
      hintOf: (job, error) =>
        error instanceof PmanClientError && error.code === 'conflict'
          ? `pman kill ${shortId(job.id)} ends it`
          : undefined,
    });
  },
};
