import { BadRequestError, PmanError } from '../errors.ts';

/** How the folders that hold what is not yet in place are called; listings and archives leave them out. */
export const STAGING_NAME = /^\.pfioh-\d+-[0-9a-f-]{36}\.tmp$/;
/** What is kept of an interrupted transfer for `--resume`. */
export const PARTIAL_NAME = /^\.pfioh-[0-9a-f]{32}\.part$/;

/** Whether a name in a folder is the programs' own and none of the user's. */
export function isOwnName(name: string): boolean {
  return STAGING_NAME.test(name) || PARTIAL_NAME.test(name);
}

/**
 * The parts of a relative path that stays below where it starts: no empty part, `.`, `..` or NUL.
 * @throws BadRequestError naming the path and the fault
 */
export function safeParts(path: string): string[] {
  const parts = path.split('/');
  const fault = parts.some((part) => part === '' || part === '.' || part === '..')
    ? 'leaves its folder or has an empty part'
    : path.includes('\0')
      ? 'has a NUL character'
      : undefined;
  if (fault !== undefined)
    throw new BadRequestError(`refused path ${JSON.stringify(path)}: it ${fault}`);
  return parts;
}

/**
 * Checks that a symbolic link stays inside the tree it is part of: relative, and `..` only at the
 * start and not above the tree. `depth` is the number of folders of the tree above the link (0 for a
 * link at its top). Links checked like this cannot lead out by way of each other either.
 * @throws PmanError `forbidden`
 */
export function checkLink(name: string, target: string, depth: number): void {
  const parts = target.split('/');
  const ups = parts.findIndex((part) => part !== '..' && part !== '.' && part !== '');
  const leading = ups < 0 ? parts : parts.slice(0, ups);
  const rest = ups < 0 ? [] : parts.slice(ups);
  const climbs = leading.filter((part) => part === '..').length;
  if (
    target === '' ||
    target.startsWith('/') ||
    target.includes('\0') ||
    climbs > depth ||
    rest.includes('..')
  ) {
    throw new PmanError(
      'forbidden',
      `refused symbolic link ${JSON.stringify(name)}: it leads to ${JSON.stringify(target)}, outside of what is transferred`,
      { hint: 'make the link relative and keep it inside the folder, or leave it out' },
    );
  }
}
