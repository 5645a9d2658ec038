import { PmanClientError } from '../client/index.ts';
import { eachAtMost } from './atMost.ts';
import { readWords } from './flagWords.ts';
import type { Listed } from './jobColumns.ts';
import { type Found, listJobs, USUAL_ROWS } from './listJobs.ts';
import { tellNext } from './nextCommands.ts';
import { jobLine, jobLines, printForm, TABLE_FLAGS } from './printJobs.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import type { ShownJob } from './shownJob.ts';
import type { Verb } from './verb.ts';

/** `pman ls`: running jobs, waiting ones by their place, then those that have ended, the newest first. */
export const ls: Verb = {
  usage: ['[flags] [JOB|STATE…]'],
  examples: [
    ['pman ls', 'running, waiting, and what has ended last'],
    ['pman ls failed', 'those that failed'],
    ["pman ls 'train-*' -o wide", 'by name, with user, place, cpu, memory, output'],
    ['pman ls -w', 'goes on as it changes'],
  ],
  flags: [
    { name: 'all', short: 'a', help: 'all of them' },
    { name: 'lines', short: 'n', value: 'N', help: `at most so many (default: ${USUAL_ROWS})` },
    { name: 'watch', short: 'w', help: 'goes on as it changes; in a pipe a line for each change' },
    { name: 'failed', help: 'as the word failed' },
    { name: 'running', help: 'as the word running' },
    { name: 'mine', help: 'my jobs only' },
    { name: 'user', value: 'NAME', help: 'the jobs of somebody (auid)' },
    { name: 'label', value: 'NAME=VALUE', isList: true, help: 'those that have it' },
    { name: 'text', value: 'TEXT', help: 'those whose command has it' },
    { name: 'since', value: 'WHEN', help: 'accepted since: 2h, 7d, or a date' },
    ...TABLE_FLAGS,
    ...COMMON_FLAGS,
  ],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    if (words.switches.has('watch')) {
      const { watchJobs } = await import('./watchJobs.ts');
      return watchJobs(session, words);
    }
    const form = printForm(words);
    const found = await listJobs(session, words, form);
    const { out } = session.streams;
    const { nowMs } = found;
    if (form.kind === 'table') {
      const listed = form.names.includes('out')
        ? await withSizes(session, found.jobs)
        : found.jobs.map(alone);
      for (const line of jobLines(session, listed, form, nowMs)) out.line(line);
      tellHidden(session, found);
    } else if (form.kind === 'json') {
      out.line(JSON.stringify({ jobs: found.jobs, total: found.total }));
    } else {
      for (const job of found.jobs) out.line(jobLine(job, form));
    }
    return 0;
  },
};

const alone = (job: ShownJob): Listed => ({ job });

/**
 * What each has written: a question for each. One that is removed meanwhile stays in the list, without a size.
 */
async function withSizes(
  { client }: Session,
  jobs: readonly ShownJob[],
): Promise<readonly Listed[]> {
  const sizes = await eachAtMost(jobs, async (job) => {
    const out = await client.outputSize(job);
    return out + (await client.outputSize(job, { stream: 'stderr' }));
  });
  return jobs.map((job, i) => {
    const size = sizes[i];
    if (size?.status === 'fulfilled') return { job, outBytes: size.value };
    const why: unknown = size?.reason;
    if (why instanceof PmanClientError && why.code === 'not_found') return { job };
    throw why;
  });
}

/** What is not shown, and how to see it. */
function tellHidden(session: Session, { jobs, hasMore, total, isNarrowed }: Found) {
  const parts = [
    ...(jobs.length === 0 ? [isNarrowed ? `none of ${total} fits` : 'no jobs yet'] : []),
    ...(jobs.length > 0 && total > jobs.length ? [`${jobs.length} of ${total}`] : []),
    ...(hasMore ? ['-a all'] : []),
    // Of those that fit these are all: others are in another list.
    ...(!hasMore && isNarrowed && total > jobs.length ? ['pman ls'] : []),
    ...(total === 0 ? ["pman run 'echo hello'"] : []),
    ...(jobs.some(({ state }) => state === 'failed') && !isNarrowed ? ['pman ls failed'] : []),
  ];
  tellNext(session, parts);
}
