import type { Job } from '../client/index.ts';
import { mayDo } from './ask.ts';
import { eachAtMost } from './atMost.ts';
import { tellDryRun } from './dryRun.ts';
import { readWords } from './flagWords.ts';
import { titleOf } from './follow.ts';
import { shortId } from './jobText.ts';
import { isOldEnough } from './older.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import type { Verb } from './verb.ts';
import { FAILED } from './verbExit.ts';

/**
 * `pman clean`: removes the records of jobs that nobody will look at again. What failed or was lost stays, unless it is asked
 * for: so the plain word needs no question.
 */
export const clean: Verb = {
  usage: ['[flags]'],
  examples: [
    ['pman clean', 'removes what ended well or was killed; keeps what failed'],
    ['pman clean -a', 'what failed and what was lost, too'],
    ['pman clean --older 7d', 'all that ended a week ago or earlier'],
    ['pman clean --dry-run', 'says which, and does nothing'],
  ],
  flags: [
    { name: 'all', short: 'a', help: 'what failed and what was lost, too' },
    { name: 'older', value: 'TIME', help: 'all that ended so long ago: 12h, 7d' },
    { name: 'mine', help: 'my jobs only' },
    { name: 'yes', short: 'y', help: 'does not ask' },
    { name: 'dry-run', help: 'says what it would do, and does nothing; JSON has "dryRun": true' },
    { name: 'json', help: 'one document for programs' },
    { name: 'quiet', short: 'q', help: 'ids only' },
    ...COMMON_FLAGS,
  ],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const { client, streams, speech } = session;
    const { out, err, signs } = streams;
    const has = (name: string) => words.switches.has(name);
    const isOld = isOldEnough(words);
    const all = await endedJobs(session, has('mine'));
    const old = all.filter(isOld);
    const takesFailed = has('all') || words.values.has('older');
    const jobs = old.filter(
      ({ state }) => takesFailed || state === 'succeeded' || state === 'killed',
    );
    if (has('dry-run')) {
      return tellDryRun(session, words, jobs, { would: () => 'would be removed' });
    }
    const losesFailed = jobs.some(({ state }) => state === 'failed' || state === 'lost');
    const what = `remove ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`;
    const asks = losesFailed && !has('yes');
    if (asks && !(await mayDo(session, what, jobs))) return FAILED;
    const results = await eachAtMost(jobs, (job) => client.remove(job));
    const removed = jobs.filter((_, i) => results[i]?.status === 'fulfilled');
    for (const [i, result] of results.entries()) {
      const job = jobs[i];
      if (result.status === 'rejected' && job !== undefined) {
        err.line(`pman: ${titleOf(job)}: ${(result.reason as Error).message}`);
      }
    }
    if (has('json')) out.line(JSON.stringify({ jobs: removed.map(({ id }) => ({ id })) }));
    else if (has('quiet')) for (const job of removed) out.line(shortId(job.id));
    else out.line(`${removed.length} removed`);
    const kept = old.length - jobs.length;
    if (kept > 0 && err.isTerminal && !has('quiet') && !has('json')) {
      err.line(speech.dim(`kept ${kept} that failed ${signs.dot} pman clean -a`));
    }
    return removed.length === jobs.length ? 0 : FAILED;
  },
};

async function endedJobs(session: Session, isMine: boolean): Promise<readonly Job[]> {
  const { ownAuid } = await import('./selectors.ts');
  const jobs: Job[] = [];
  const query = { ...(isMine ? { auid: ownAuid(session) } : {}), limit: 1000 };
  for await (const job of session.client.jobs({
    ...{ ...query, state: ['succeeded', 'failed', 'killed', 'lost'] },
  })) {
    jobs.push(job);
  }
  return jobs;
}
