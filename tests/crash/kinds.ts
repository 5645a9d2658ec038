import type { Random } from './random.ts';

/** What a sub-job that is left alone writes, and how it ends. */
export interface ExpectedPart {
  readonly stdout: string;
  readonly stderr: string;
  readonly returncode: number;
}

export interface JobPlan {
  readonly cmd: string;
  readonly parts: readonly ExpectedPart[];
}

interface Step {
  readonly shell: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly returncode?: number;
}

const kinds: ReadonlyArray<readonly [weight: number, kind: (random: Random) => readonly Step[]]> = [
  [6, () => [{ shell: 'echo done', stdout: 'done\n' }]],
  [2, () => [{ shell: '{ echo oops >&2 && exit 3 ; }', stderr: 'oops\n', returncode: 3 }]],
  [1, () => [{ shell: 'kill -9 $$', returncode: -9 }]],
  [2, () => [{ shell: 'for i in 1 2 3; do echo $i; done', stdout: '1\n2\n3\n' }]],
  [1, () => [{ shell: "head -c 200000 /dev/zero | tr '\\0' x", stdout: 'x'.repeat(200_000) }]],
  [3, (random) => [nap(random)]],
  [2, (random) => [nap(random), { shell: 'false', returncode: 1 }, nap(random)]],
  [
    1,
    () =>
      Array.from({ length: 6 }, (_, k) => ({
        shell: `{ echo ${k} && echo e${k} >&2 ; }`,
        stdout: `${k}\n`,
        stderr: `e${k}\n`,
      })),
  ],
];

function nap(random: Random): Step {
  return { shell: `sleep 0.${random.between(1, 6)} && echo slept`, stdout: 'slept\n' };
}

/**
 * A command of a random kind, and what is to come of it.
 * @param mark a file to which each sub-job adds its number when it runs: a line more than once means run twice
 */
export function planJob(random: Random, mark: string): JobPlan {
  const steps = random.weighted(kinds)(random);
  return {
    cmd: steps.map(({ shell }, k) => `echo ${k} >>${mark} && ${shell}`).join(';'),
    parts: steps.map(({ stdout = '', stderr = '', returncode = 0 }) => ({
      stdout,
      stderr,
      returncode,
    })),
  };
}
