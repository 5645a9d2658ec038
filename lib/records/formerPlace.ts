import { lstatSync } from 'node:fs';

/** Where the original has its database by default. Anybody can make a folder there. */
const FORMER_PLACE = '/tmp/pman';

/** The database that this user has there, if any: it is not used, and somebody may wonder where the jobs are. */
export function formerDatabase(place = FORMER_PLACE): string | undefined {
  const stat = lstatSync(place, { throwIfNoEntry: false });
  return stat?.isDirectory() && stat.uid === process.geteuid?.() ? place : undefined;
}
