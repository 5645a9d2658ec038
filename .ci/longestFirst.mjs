import Sequencer from '@jest/test-sequencer';

/**
 * The files that take longest, the longest one first: from what they took on two slow cores; behind those, the files
 * that mostly wait and take over 15 s. Begun last, as a clean clone would have it, one of them keeps the others'
 * processors waiting.
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

/** Jest's own order, but for those files. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = LONGEST.findIndex((name) => path.endsWith(`/tests/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
