import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors.ts';

const STICKY = 0o1000;

/**
 * Looks who else may read or write a file of tokens, or of other secrets. Whoever can write it, or put another one in
 * its place, lets himself in.
 * @param self the user of this process; undefined where the system knows no users: nothing is looked at
 * @param what is in the file, in the words of warnings
 * @returns what to warn of: others can read it, or somebody else owns it
 * @throws UsageError when others can change it; the system's error when it is not there
 */
export function tokenFileWarnings(
  path: string,
  self: number | undefined = process.geteuid?.(),
  what: 'tokens' | 'secrets' = 'tokens',
): readonly string[] {
  if (self === undefined) return [];
  const file = realpathSync.native(path);
  const stat = statSync(file);
  if (othersWrite(stat)) {
    throw new UsageError(`others can write the ${what} in ${path} (mode ${modeOf(stat)})`, {
      hint: `chmod go-w ${path}`,
    });
  }
  // A link can be pointed elsewhere by whoever may write its folder.
  for (const name of new Set([...linksFrom(resolve(path)), file])) requireNoSwap(name, self, what);
  const owners = [stat.uid, statSync(dirname(file)).uid];
  const owner = owners.find((uid) => uid !== 0 && uid !== self);
  const isRead = (stat.mode & 0o004) !== 0 || ((stat.mode & 0o040) !== 0 && !isPrivateGroup(stat));
  return [
    ...(isRead
      ? [`others can read the ${what} in ${path} (mode ${modeOf(stat)}): chmod go-r ${path}`]
      : []),
    // A file that is mounted into a container belongs to whoever has it outside.
    ...(owner === undefined
      ? []
      : [`the ${what} in ${path} belong to another user (uid ${owner}), who can change them`]),
  ];
}

/** A path and the links that it leads over, one behind the other. */
function linksFrom(path: string): readonly string[] {
  const stat = lstatSync(path);
  if (!stat.isSymbolicLink()) return [path];
  // The folder by its real path: `..` in a link goes up from there.
  const next = resolve(realpathSync.native(dirname(path)), readlinkSync(path));
  return [path, ...linksFrom(next)];
}

/** @throws UsageError when others can rename or remove the file: they may write its folder, and that does not protect it */
function requireNoSwap(path: string, self: number, what: string): void {
  const folder = dirname(path);
  const stat = statSync(folder);
  if (!othersWrite(stat)) return;
  const owner = lstatSync(path).uid;
  if ((stat.mode & STICKY) !== 0 && (owner === 0 || owner === self)) return;
  throw new UsageError(
    `others can replace the file of the ${what} ${path}: they can write its folder ${folder} ` +
      `(mode ${modeOf(stat)})`,
    { hint: `move the file, or: chmod go-w ${folder}` },
  );
}

function othersWrite(stat: Stats): boolean {
  return (stat.mode & 0o002) !== 0 || ((stat.mode & 0o020) !== 0 && !isPrivateGroup(stat));
}

/** Many systems give each user a group of the same number with nobody else in it, and new files the rights of that group. */
function isPrivateGroup({ uid, gid }: Stats): boolean {
  return uid === gid;
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8);
}
