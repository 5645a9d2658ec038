import type { Job } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { tookText } from '../terminal/amounts.ts';
import { countOf } from './counts.ts';
import { type Flag, flagValue, readWords, type Words } from './flagWords.ts';
import { endedText, endText, titleOf } from './follow.ts';
import { untilCtrlC } from './interrupts.ts';
import { shortId, stateText, tookMs } from './jobText.ts';
import { tellLeft } from './leaveJobs.ts';
import { firstFailure, selectJobs } from './selectors.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import { type ShowOptions, showOutput } from './showOutput.ts';
import { ageBefore } from './spans.ts';
import type { Verb } from './verb.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'follow',
    short: 'f',
    help: 'goes on until the job ends; a job that waits is waited for',
  },
  { name: 'exit', short: 'e', help: 'ends with the exit code of the job' },
  { name: 'tail', short: 'n', value: 'N', help: 'the last N lines of what there is' },
  { name: 'since', value: 'WHEN', help: 'what was written since: 10m, or a date' },
  { name: 'times', short: 't', help: 'the clock before each line' },
  { name: 'stdout', help: 'its stdout alone' },
  { name: 'stderr', help: 'its stderr alone' },
  { name: 'part', value: 'N', help: 'one part of it, from 0 on' },
  { name: 'json', help: 'an object a line: job, stream, part, offset, time, and text or base64' },
  { name: 'quiet', short: 'q', help: 'no word but what the job writes' },
  ...COMMON_FLAGS,
];

/** `pman logs`: what jobs write, byte for byte, stdout to stdout and stderr to stderr. */
export const logs: Verb = {
  usage: ['[flags] [JOB…]'],
  examples: [
    ['pman logs', 'what the newest job has written'],
    ['pman logs -f', 'the same, and what it will write'],
    ['pman logs -n 20 -t nightly', 'the last 20 lines, with times'],
    ["pman logs -f 'train-*'", 'several, told apart at the beginning of each line'],
    ['pman logs 7f3a > out.txt', 'its stdout alone is in the file'],
  ],
  flags: FLAGS,
  async run(call) {
    const words = readWords(call.argv, FLAGS);
    const session = openSession(call, words);
    const options = readOptions(words);
    const jobs = await selectJobs(session, words.rest, { orNewest: true });
    const { bar } = session.streams.signs;
    const shown = lettersThatDiffer(jobs);
    const follow = async (signal: AbortSignal) => {
      const ended = await Promise.all(
        jobs.map((job) => {
          const prefix = jobs.length > 1 ? `${shortId(job.id).slice(0, shown)} ${bar} ` : '';
          return showOne(session, job, { ...options, prefix, signal }, words);
        }),
      );
      return words.switches.has('exit') ? firstFailure(ended) : 0;
    };
    return untilCtrlC(follow, async () => {
      if (!words.switches.has('quiet')) await tellLeft(session, jobs);
    });
  },
};

/** As many characters of their ids as tell jobs apart: four as a rule. */
function lettersThatDiffer(jobs: readonly Job[]): number {
  const ids = jobs.map(({ id }) => shortId(id));
  const [few = 6] = [4, 5].filter(
    (n) => new Set(ids.map((id) => id.slice(0, n))).size === ids.length,
  );
  return few;
}

/** @throws UsageError for what cannot be asked for together */
function readOptions(words: Words): Omit<ShowOptions, 'signal'> {
  const { switches } = words;
  const has = (name: string) => switches.has(name);
  if (has('stdout') && has('stderr'))
    throw new UsageError('--stdout and --stderr: without both, both are shown');
  const since = flagValue(words, 'since');
  const part = countOf(words, 'part');
  const tail = countOf(words, 'tail');
  return {
    ...{ follow: has('follow'), hasTimes: has('times'), isJson: has('json') },
    ...(has('stdout') ? { stream: 'stdout' } : has('stderr') ? { stream: 'stderr' } : {}),
    ...(since === undefined ? {} : { sinceMs: ageBefore(since, '--since', Date.now()).getTime() }),
    ...(part === undefined ? {} : { part }),
    ...(tail === undefined ? {} : { tail }),
  };
}

/** What one job writes, between two lines of speech on a terminal. */
async function showOne(
  session: Session,
  job: Job,
  options: ShowOptions,
  { switches }: Words,
): Promise<Job> {
  const { streams, speech, patient } = session;
  const { err, signs } = streams;
  const isSpoken = err.isTerminal && !switches.has('quiet') && options.isJson !== true;
  if (isSpoken && (options.follow || options.prefix !== '')) {
    const took = tookMs(job, Date.now());
    const state = [
      stateText(job),
      ...(job.endedAt === null && took !== undefined ? [tookText(took)] : []),
    ];
    const parts = [
      titleOf(job),
      job.endedAt === null ? state.join(' ') : endText(job),
      ...(options.follow && job.endedAt === null ? ['Ctrl-C leaves it running'] : []),
    ];
    err.line(speech.dim(`${signs.rule} ${parts.join(` ${signs.dot} `)}`));
  }
  await showOutput(session, job, options);
  const isEndWanted = options.follow || switches.has('exit');
  const ended = isEndWanted ? await patient.wait(job, { signal: options.signal }) : job;
  if (isSpoken && options.follow) {
    err.line(`${speech.dim(signs.rule)} ${endedText(session, ended)}`);
  }
  return ended;
}
