import type { Flag } from './flagWords.ts';

/** The flags of `pman run` that bring files to the job and back. */
export const STAGE_FLAGS: readonly Flag[] = [
  { name: 'push', value: 'FOLDER', help: 'brings a folder along: the job runs in a copy of it' },
  {
    name: 'pull',
    value: 'PATTERN',
    isList: true,
    help: "fetches what it has left: 'out/**'; with -f",
  },
  { name: 'into', value: 'FOLDER', help: 'where that goes (default: the folder of --push, or .)' },
];
