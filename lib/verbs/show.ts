import type { Job } from '../client/index.ts';
import { readWords } from './flagWords.ts';
import { jobFields } from './jobFields.ts';
import { sheetLines } from './jobSheet.ts';
import { jobLine, PRINT_FLAGS, printForm } from './printJobs.ts';
import { selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import type { Verb } from './verb.ts';

/** `pman show`: all about a job, and the end of what it has written. */
export const show: Verb = {
  usage: ['[flags] [JOB…]'],
  examples: [
    ['pman show', 'the newest job'],
    ['pman show 9d4e', 'one by its id'],
    ["pman show nightly --format '{usage.wallSeconds}'", 'one member of it'],
  ],
  flags: [...PRINT_FLAGS, ...COMMON_FLAGS],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const form = printForm(words);
    const { out } = session.streams;
    const jobs = await selectJobs(session, words.rest, { orNewest: true });
    if (form.kind === 'json' && jobs.length !== 1) {
      out.line(JSON.stringify({ jobs }));
      return 0;
    }
    for (const [i, job] of jobs.entries()) {
      if (form.kind !== 'table') out.line(jobLine(job, form));
      else {
        if (i > 0) out.line();
        for (const line of await linesOf(job)) out.line(line);
      }
    }
    return 0;

    async function linesOf(job: Job): Promise<readonly string[]> {
      return out.isTerminal ? sheetLines(session, job) : jobFields(session, job);
    }
  },
};
