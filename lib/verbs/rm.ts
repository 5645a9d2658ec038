import { DEED_FLAGS, doToJobs, namesMany } from './deeds.ts';
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
    // One that was named and has not ended is refused, and not left out without a word.
    const jobs = found.filter((job) => job.endedAt === null || isOld(job));
    return doToJobs(session, words, jobs, {
      ...{ name: 'remove', would: 'would be removed' },
      refused: ({ id, endedAt }) =>
        endedAt === null
          ? { why: 'has not ended', hint: `pman kill ${shortId(id)} ends it` }
          : undefined,
      asks: jobs.length > 1 && named.some(namesMany),
      act: async (job) => {
        await session.client.remove(job);
        return undefined;
      },
      said: () => 'removed',
    });
  },
};
