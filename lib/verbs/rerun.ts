import type { Job } from '../client/index.ts';
import { tellDryRun } from './dryRun.ts';
import { flagValue, readWords } from './flagWords.ts';
import { shortId } from './jobText.ts';
import { inputOf, JOB_FLAGS, jobMembers } from './newJobFlags.ts';
import { nextOfSent, tellNext } from './nextCommands.ts';
import { jobLine, PRINT_FLAGS, printForm } from './printJobs.ts';
import { refusedFlag } from './refusedFlag.ts';
import { selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import { FOLDER_GONE, goneError, jobsWithoutFolder, ofStaged } from './stagedFolder.ts';
import type { Verb } from './verb.ts';

/** `pman rerun`: has the same jobs accepted again, with what flags change, and prints the ids of the new ones. */
export const rerun: Verb = {
  usage: ['[flags] [JOB…]'],
  examples: [
    ['pman rerun', 'the newest job again'],
    ['pman rerun -f 9d4e', 'shows what it writes, ends with its exit code'],
    ['pman rerun --timeout 2h nightly', 'the same with another limit'],
    ['pman rerun failed', 'all that failed'],
  ],
  flags: [
    { name: 'follow', short: 'f', help: 'shows what it writes, and ends with its exit code' },
    { name: 'tie', help: 'with -f: Ctrl-C, or a closed terminal, ends the job, too' },
    { name: 'command', value: 'LINE', help: 'another command' },
    ...JOB_FLAGS,
    { name: 'dry-run', help: 'says which jobs, and does nothing; JSON has "dryRun": true' },
    ...PRINT_FLAGS,
    ...COMMON_FLAGS,
  ],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const form = printForm(words);
    const { out } = session.streams;
    const command = flagValue(words, 'command');
    const changes = {
      ...jobMembers(session, words),
      ...(command === undefined ? {} : { command }),
    };
    const input = await inputOf(session, words);
    const jobs = await selectJobs(session, words.rest, { orNewest: true });
    const gone = await jobsWithoutFolder(session, jobs, changes);
    if (words.switches.has('dry-run')) {
      return tellDryRun(session, words, jobs, {
        would: (job) => `would run again: ${command ?? job.command}`,
        members: (job) => ({ command: command ?? job.command }),
        refused: (job) => (gone.has(job) ? FOLDER_GONE : undefined),
      });
    }
    // Before any is sent: all of them, or none.
    for (const job of gone) throw goneError(job);
    const made: Job[] = [];
    const tellMade = () => {
      for (const job of made)
        out.line(form.kind === 'table' ? shortId(job.id) : jobLine(job, form));
    };
    for (const job of jobs) {
      const sent = session.client.rerun(job, changes, input === undefined ? {} : { input });
      made.push(
        await sent.catch((error: unknown) => {
          // Those before run: who does not know their ids sends them twice.
          tellMade();
          throw ofStaged(refusedFlag(error, words), job);
        }),
      );
    }
    const isTied = words.switches.has('tie');
    if (words.switches.has('follow') || isTied) {
      const { followRun } = await import('./followRun.ts');
      return followRun(session, made, { isTied, form });
    }
    if (form.kind === 'json' && made.length !== 1) out.line(JSON.stringify({ jobs: made }));
    else tellMade();
    if (form.kind === 'table') tellNext(session, nextOfSent(made.map(({ id }) => shortId(id))));
    return 0;
  },
};
