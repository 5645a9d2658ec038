import { type NewJob, PmanClientError } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { requireWorkingFolder } from '../foreignBytes.ts';
import { commandOf } from './commandLine.ts';
import { CannotError } from './failures.ts';
import { flagValue, readWords, type Words } from './flagWords.ts';
import { shortId } from './jobText.ts';
import { inputOf, JOB_FLAGS, jobMembers } from './newJobFlags.ts';
import { nextOfSent, tellNext } from './nextCommands.ts';
import { jobLine, PRINT_FLAGS, printForm } from './printJobs.ts';
import { refusedFlag } from './refusedFlag.ts';
import { ownAuid } from './selectors.ts';
import { isHere } from './serverUrl.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import { STAGE_FLAGS } from './stageFlags.ts';
import type { Verb } from './verb.ts';

/** `pman run`: has a command accepted, and prints the id of its job. */
export const run: Verb = {
  usage: ["[flags] 'SHELL LINE'", '[flags] -- COMMAND [ARGUMENT…]'],
  examples: [
    ["pman run 'make check; make install'", 'a line for the shell; prints the id'],
    ['pman run -f -- make -j8 check', 'shows what it writes, ends with its exit code'],
    ['id=$(pman run --name nightly ./report)', 'the id alone is on stdout'],
    ["pman run --timeout 1h --memory 2Gi './train'", 'with limits'],
    ["pman run --image alpine 'uname -a'", 'in a container'],
    [
      "pman run --push data --pull 'out/**' -- ./fit",
      'brings a folder along, fetches what comes of it',
    ],
  ],
  flags: [
    { name: 'follow', short: 'f', help: 'shows what it writes, and ends with its exit code' },
    { name: 'tie', help: 'with -f: Ctrl-C, or a closed terminal, ends the job, too' },
    ...STAGE_FLAGS,
    ...JOB_FLAGS,
    { name: 'key', value: 'KEY', help: 'with the same key no second job is made' },
    ...PRINT_FLAGS,
    ...COMMON_FLAGS,
  ],
  takesCommand: true,
  async run(call) {
    const words = readWords(call.argv, this.flags, { endsAtWord: true });
    const session = openSession(call, words);
    const form = printForm(words);
    const asked = newJobOf(session, words);
    const quiet = form.kind !== 'table';
    // Before anything is pushed: it may not be there.
    const input = await inputOf(session, words);
    const staged = await stagedRun(session, words, quiet);
    const isTied = words.switches.has('tie');
    const isFollowed = words.switches.has('follow') || isTied || staged?.isFollowed === true;
    const key = flagValue(words, 'key');
    const job = await session.client
      .run(staged?.members(asked) ?? asked, {
        ...(key === undefined ? {} : { key }),
        ...(input === undefined ? {} : { input }),
      })
      .catch(async (error: unknown) => {
        // It may run in that folder.
        if (staged !== undefined && isInDoubt(error)) {
          const lines = ['pman ls -a shows whether it was', `its files: ${staged.fetch}`];
          throw new CannotError(error.message, lines);
        }
        await staged?.drop();
        throw refusedFolder(refusedFlag(error, words), session, words);
      });
    if (isFollowed) {
      const { followRun } = await import('./followRun.ts');
      const lines = staged === undefined ? [] : [`its files: ${staged.fetch}`];
      const code = await followRun(session, [job], { isTied, form, lines });
      return (await staged?.end(job, code)) ?? code;
    }
    const id = shortId(job.id);
    session.streams.out.line(form.kind === 'table' ? id : jobLine(job, form));
    if (form.kind === 'table') tellNext(session, nextOfSent([id]));
    return 0;
  },
};

function isInDoubt(error: unknown): error is PmanClientError {
  return error instanceof PmanClientError && error.mayHaveKey !== undefined;
}

/** With --push or --pull, a folder of the server for the job. @throws UsageError, CannotError */
async function stagedRun(session: Session, words: Words, quiet: boolean) {
  if (![...words.values.keys()].some((name) => STAGE_FLAGS.some((flag) => flag.name === name)))
    return undefined;
  const { stageRun } = await import('./stagedRun.ts');
  return stageRun(session, words, { json: false, quiet });
}

/** @throws UsageError without a command */
function newJobOf(session: Session, words: Words): NewJob {
  const { rest, isBehindDashes } = words;
  if (rest.length === 0 || rest.every((word) => word.trim() === '')) {
    throw new UsageError("say what is to be run: pman run 'make check'");
  }
  const isContainer = flagValue(words, 'image') !== undefined;
  const asked = jobMembers(session, words);
  const isElsewhere = isContainer || asked.ssh !== undefined;
  const cwd =
    isElsewhere || asked.cwd !== undefined || !isHere(session.place.url)
      ? {}
      : { cwd: requireWorkingFolder() };
  return {
    ...{
      ...commandOf({ rest, isBehindDashes, isContainer }),
      auid: ownAuid(session),
      ...cwd,
      ...asked,
    },
  };
}

/** The folder of this process may not be one of the server, though that seems to be on this host. */
function refusedFolder(error: unknown, { place }: Session, words: Words): unknown {
  const isOurs = flagValue(words, 'cwd') === undefined && isHere(place.url);
  if (!isOurs || !(error instanceof PmanClientError) || !/\bcwd\b/.test(error.message))
    return error;
  return new CannotError(error.message, [
    'the folder that you are in was taken for it; --cwd DIR names another one of the server',
  ]);
}
