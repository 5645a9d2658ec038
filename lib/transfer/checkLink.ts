import { PmanError } from '../errors.ts';

/** What lies in a tree: a folder, a file, or where a link leads; undefined when nothing does. */
export type Look = (
  parts: readonly string[],
) => 'folder' | 'file' | { readonly target: string } | undefined;

/** A link of a tree that is sent or has arrived. */
export interface TreeLink {
  /** What it is called in an error. */
  readonly name: string;
  readonly target: string;
  /** The folders of the tree that it lies in, from the top; none of them is a link. */
  readonly above: readonly string[];
}

/** As many links as Linux follows on the way to one place (path_resolution(7)). */
const MAX_FOLLOWED = 40;

/**
 * Checks that a symbolic link stays inside the tree it is part of: relative, and on its way never above the top. Links
 * of the tree on the way are followed. What is not in the tree may be anything, so no `..` may stand behind it.
 * Gives back another way to the same place, with `..` only at its start. Such a way stays inside whatever link
 * somebody puts in the place of a folder later.
 * @throws PmanError `forbidden`
 */
export function checkLink({ name, target, above }: TreeLink, look: Look): string {
  const refused = () =>
    new PmanError(
      'forbidden',
      `refused symbolic link ${JSON.stringify(name)}: it leads to ${JSON.stringify(target)}, outside of what is transferred`,
      { hint: 'make the link relative and keep it inside the folder, or leave it out' },
    );
  if (target === '' || target.includes('\0')) throw refused();
  const at = [...above];
  const way = [...target.split('/')];
  if (target.startsWith('/')) throw refused();
  let followed = 0;
  let isKnown = true;
  for (let part = way.shift(); part !== undefined; part = way.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (!isKnown || at.length === 0) throw refused();
      at.pop();
      continue;
    }
    at.push(part);
    // Where the way ends it does not matter what is there: a link is checked by itself.
    if (!isKnown || !way.includes('..')) continue;
    const there = look(at);
    if (typeof there === 'object') {
      followed += 1;
      // The system does not follow it either: it leads nowhere.
      if (followed > MAX_FOLLOWED) return target;
      if (there.target.startsWith('/')) throw refused();
      at.pop();
      way.unshift(...there.target.split('/'));
    } else isKnown = there === 'folder';
  }
  return relativeWay(above, at);
}

function relativeWay(from: readonly string[], to: readonly string[]): string {
  const differs = from.findIndex((part, i) => part !== to[i]);
  const common = differs < 0 ? from.length : differs;
  const ups = from.slice(common).map(() => '..');
  return [...ups, ...to.slice(common)].join('/') || '.';
}

/** Whether a way goes up behind a name, so that it depends on what has that name. */
export function goesUpLater(target: string): boolean {
  return /(?:^|\/)(?!\.{1,2}(?:\/|$))[^/]+\/(?:.*\/)?\.\.(?:\/|$)/.test(target);
}
