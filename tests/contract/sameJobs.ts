import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CAUSES } from '../../lib/jobs/causeWords.ts';
import type { OpenEngine } from '../../lib/jobs/container/engine.ts';
import { type ContainerPman, type JobSeen, newName } from '../helpers/containerPman.ts';
import { checkout } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** Gives the root of a job. */
type Submit = (pman: ContainerPman, open: OpenEngine) => Promise<string>;

/** The jobs of the table in docs/containers.md, by what they do. */
const sameJobs: Readonly<Record<string, Submit>> = {
  'does well': (pman) => pman.submit('true'),
  'exits with 42': (pman) => pman.submit('sh -c "exit 42"'),
  'is killed, and ends at the first signal': async (pman) => {
    const root = await pman.submit(
      `sh -c "trap 'exit 9' TERM; echo up; while true; do sleep 0.1; done"`,
    );
    await pman.written(root, 'up');
    await pman.jobs.kill(root, { signal: 'SIGTERM', graceMs: 20_000, cause: 'killed by SIGTERM' });
    return root;
  },
  'takes longer than its `timeout` of 2 s': (pman) =>
    pman.submit('sleep 600', { limits: { timeout: 2 } }),
  'takes more memory than its limit of 16 MiB': (pman) =>
    pman.submit('sh -c "sleep 0.5; tail /dev/zero"', { meta: { memory_limit: '16Mi' } }),
  'has a process that takes more memory, and ends with 5 itself': (pman) =>
    pman.submit('sh -c "sleep 0.5; tail /dev/zero; sleep 0.5; exit 5"', {
      meta: { memory_limit: '16Mi' },
    }),
  'has two workers, and one exits with 5': (pman) => {
    const shareDir = tempDir();
    chmodSync(shareDir, 0o777);
    return pman.submit('sh -c "mkdir /share/first 2>/dev/null || exit 5"', {
      ...{ shareDir, meta: { number_of_workers: 2 } },
    });
  },
  'has an image that nobody has': (pman) => pman.submit('true', { image: 'local/nosuch' }),
  'has no valid name of an image': (pman) => pman.submit('true', { image: 'UPPER case' }),
  'has a program that its image has not': (pman) => pman.submit('nosuchprogram'),
  'is removed at the engine by somebody else': async (pman, open) => {
    const name = newName();
    const root = await pman.submit('sh -c "echo up; sleep 600"', { name });
    await pman.written(root, 'up');
    const opened = await open('somebody');
    await opened.remove({ name, handle: undefined });
    return root;
  },
};

/** As much of a cause as a table can hold, by whole clauses, whatever the job is called. */
function shortened(cause: string): string {
  const clauses = cause.replace(/"c\d+x\w+"/g, 'NAME').split(': ');
  let text = clauses.shift() ?? '';
  for (const clause of clauses) {
    if (text.length + clause.length > 80) break;
    text += `: ${clause}`;
  }
  return text;
}

/** What is the same on each engine: without the engine's own words, which stand behind a colon. */
export const stable = (ends: SameEnds): SameEnds =>
  Object.fromEntries(
    Object.entries(ends).map(([what, end]) => [
      what,
      { ...end, cause: end.cause.replace(/: .*/s, '') },
    ]),
  );

/** How a job of the table ended. */
type SameEnd = Pick<JobSeen, 'status' | 'exitCode' | 'cause'>;
type SameEnds = Readonly<Record<string, SameEnd>>;

const FAILED = 'finishedWithError';
const FAILED_BY_5: SameEnd = { status: FAILED, exitCode: 5, cause: 'non-zero exit (5)' };
/** How they have to end, whatever runs them. */
const expected: SameEnds = {
  'does well': { status: 'finishedSuccessfully', exitCode: 0, cause: '' },
  'exits with 42': { status: FAILED, exitCode: 42, cause: 'non-zero exit (42)' },
  'is killed, and ends at the first signal': {
    ...{ status: FAILED, exitCode: 9, cause: 'killed by SIGTERM' },
  },
  'takes longer than its `timeout` of 2 s': {
    ...{ status: FAILED, exitCode: 137, cause: 'time limit 2 s' },
  },
  'takes more memory than its limit of 16 MiB': {
    ...{ status: FAILED, exitCode: 137, cause: CAUSES.memory },
  },
  'has a process that takes more memory, and ends with 5 itself': {
    ...{ status: FAILED, exitCode: 5, cause: CAUSES.memoryOfProcess },
  },
  'has two workers, and one exits with 5': FAILED_BY_5,
  'has an image that nobody has': { status: FAILED, exitCode: null, cause: CAUSES.image },
  'has no valid name of an image': { status: FAILED, exitCode: null, cause: CAUSES.imageName },
  'has a program that its image has not': { status: FAILED, exitCode: null, cause: CAUSES.command },
  'is removed at the engine by somebody else': {
    ...{ status: FAILED, exitCode: null, cause: CAUSES.removed },
  },
};

const OF_PROCESS = 'has a process that takes more memory, and ends with 5 itself';

/** @param tellsOfProcesses whether the engine tells that only a process of a container ran out of memory */
export function expectedEnds(tellsOfProcesses: boolean): SameEnds {
  if (tellsOfProcesses) return expected;
  return { ...expected, [OF_PROCESS]: FAILED_BY_5 };
}

const fileOf = (engine: string) => join(checkout, 'tests/contract/ends', `${engine}.json`);

/** Keeps what was seen for the table: `node .ci/sameJobs.mjs --write` makes it. */
export function documentEnds(engine: string, ends: SameEnds): void {
  mkdirSync(dirname(fileOf(engine)), { recursive: true });
  writeFileSync(fileOf(engine), `${JSON.stringify(ends, undefined, 2)}\n`);
}

/** Runs the jobs of the table, one after the other. */
export async function runSameJobs(pman: ContainerPman, open: OpenEngine): Promise<SameEnds> {
  const ends: Record<string, SameEnd> = {};
  for (const [what, submit] of Object.entries(sameJobs)) {
    const { status, exitCode, cause } = await pman.end(await submit(pman, open), 120_000);
    ends[what] = { status, exitCode, cause: shortened(cause) };
  }
  return ends;
}
