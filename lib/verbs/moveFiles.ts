import { isAbsolute } from 'node:path';
import { UsageError } from '../errors.ts';
import { requireWorkingFolder } from '../foreignBytes.ts';
import { type Flag, readWords } from './flagWords.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import { withStore } from './storePlace.ts';
import type { Verb } from './verb.ts';

const FLAGS: readonly Flag[] = [
  { name: 'json', help: 'what it came to as JSON; progress as lines of JSON on stderr' },
  { name: 'quiet', short: 'q', help: 'neither progress nor what it came to' },
  ...COMMON_FLAGS,
];

const NOTES = [
  'The place is a folder of the file server (pfioh) beside pman. Files are compared by size and SHA-256.',
  'After a lost connection it goes on; so does the same command when it was killed. Nothing is removed.',
];

/** `pman push`: brings files to the server. */
export const push: Verb = {
  usage: ['[flags] PATH PLACE'],
  examples: [
    ['pman push results/ jobs/42', 'the content of a folder, what is not there yet'],
    ['pman push scan.nii incoming', 'a file, into a folder'],
  ],
  flags: FLAGS,
  notes: NOTES,
  run: (call) => move('push', call),
};

/** `pman pull`: fetches files from the server. */
export const pull: Verb = {
  usage: ['[flags] PLACE FOLDER'],
  examples: [
    ['pman pull jobs/42/out results/', 'the content of a folder, what is not here yet'],
    ['pman pull incoming/scan.nii .', 'a file'],
  ],
  flags: FLAGS,
  notes: NOTES,
  run: (call) => move('pull', call),
};

async function move(what: 'push' | 'pull', call: Parameters<Verb['run']>[0]): Promise<number> {
  const words = readWords(call.argv, FLAGS);
  const [from, to, ...more] = words.rest;
  if (from === undefined || to === undefined || more.length > 0) {
    throw new UsageError(
      what === 'push'
        ? 'it takes two words: a file or folder here, and a folder of the server'
        : 'it takes two words: a file or folder of the server, and a folder here',
    );
  }
  if (from === '' || to === '') throw new UsageError('one of the two words is empty');
  if (!isAbsolute(what === 'push' ? from : to)) requireWorkingFolder();
  const session = openSession(call, words);
  const quiet = words.switches.has('quiet');
  const json = words.switches.has('json');
  const told = await withStore(session, { json, quiet }, async ({ files }) =>
    files.told(what === 'push' ? await files.push(from, to) : await files.pull(to, from)),
  );
  if (json || !quiet) session.streams.out.line(told);
  return 0;
}
