import Sequencer from '@jest/test-sequencer';

/**
 * The files that take longest, the longest one first: from what they took on two slow cores. Begun last, as a clean
 * clone would have it, one of them keeps the others' processors waiting for minutes.
 */
const LONGEST = [
  'attack/fuzz',
  'contract/docker',
  'crash/crash',
  'page/hundredThousand',
  'integration/container-jobs',
  'contract/memory',
  'attack/attacks',
  'page/everybody',
  'contract/podman',
  'integration/crunner-split',
  'integration/container-plain',
  'integration/lifetime',
];

/**
 * Those that take 15 to 45 s and mostly wait meanwhile, the longest one first. Begun together they leave the processors
 * with nothing to do; begun last, too. So they are begun one by one, among those that work.
 */
const WAITING = [
  'integration/cli-verbs',
  'integration/transcripts',
  'unit/lib/jobs/container/ender',
  'integration/actions-kill',
  'unit/lib/jobs/container/watch',
  'integration/cli-follow',
  'unit/lib/fileio/directiveFile',
  'unit/lib/pfioh/fileServer',
  'integration/openFiles',
];
/** So many others are begun between two of these. */
const BETWEEN = 8;

/** Those of `tests` that `names` has, in its order. */
const named = (tests, names) =>
  names.flatMap((name) => tests.filter(({ path }) => path.endsWith(`/tests/${name}.test.ts`)));

/** Jest's own order, but for those files. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const longest = named(tests, LONGEST);
    const waiting = named(tests, WAITING);
    const others = super.sort(
      tests.filter((test) => !longest.includes(test) && !waiting.includes(test)),
    );
    const mixed = others.flatMap((test, k) =>
      k % BETWEEN === 0 ? [...waiting.splice(0, 1), test] : [test],
    );
    return [...longest, ...mixed, ...waiting];
  }
}
