import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerPman, JobSeen } from '../helpers/containerPman.ts';
import { checkout } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** The jobs of the table in docs/containers.md, by what they do: each gives its root. */
const sameJobs: Readonly<Record<string, (pman: ContainerPman) => Promise<string>>> = {
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
  'has two workers, and one exits with 5': (pman) => {
    const shareDir = tempDir();
    chmodSync(shareDir, 0o777);
    return pman.submit('sh -c "mkdir /share/first 2>/dev/null || exit 5"', {
      ...{ shareDir, meta: { number_of_workers: 2 } },
    });
  },
  'has an image that nobody has': (pman) => pman.submit('true', { image: 'local/nosuch' }),
  'has a program that its image has not': (pman) => pman.submit('nosuchprogram'),
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

/** Without what the engine's version, or its luck, puts into it: words behind a colon, a reason's name in brackets. */
const ownWords = (cause: string) => cause.replace(/: .*/s, '').replace(/ \([A-Z]\w+\)/g, '');

/** What is the same in each run on any version of an engine. */
export const stable = (ends: SameEnds): SameEnds =>
  Object.fromEntries(
    Object.entries(ends).map(([what, end]) => [what, { ...end, cause: ownWords(end.cause) }]),
  );

/** How a job of the table ended. */
type SameEnd = Pick<JobSeen, 'status' | 'exitCode' | 'cause'>;
type SameEnds = Readonly<Record<string, SameEnd>>;

const fileOf = (engine: string) => join(checkout, 'tests/contract/ends', `${engine}.json`);

/** What the table says of an engine. */
export function documentedEnds(engine: string): SameEnds {
  const file = fileOf(engine);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SameEnds) : {};
}

/** Keeps what was seen for the table: `node .ci/sameJobs.mjs --write` makes it. */
export function documentEnds(engine: string, ends: SameEnds): void {
  mkdirSync(dirname(fileOf(engine)), { recursive: true });
  writeFileSync(fileOf(engine), `${JSON.stringify(ends, undefined, 2)}\n`);
}

/** Runs the jobs of the table, one after the other. */
export async function runSameJobs(pman: ContainerPman): Promise<SameEnds> {
  const ends: Record<string, SameEnd> = {};
  for (const [what, submit] of Object.entries(sameJobs)) {
    const { status, exitCode, cause } = await pman.end(await submit(pman), 120_000);
    ends[what] = { status, exitCode, cause: shortened(cause) };
  }
  return ends;
}
