import { PmanError } from '../errors.ts';
import type { JobDatabase } from './database.ts';
import { jobCalled } from './index/shortNames.ts';
import { NAME_KEYS } from './recordSearch.ts';

/** What says nothing of single jobs. */
const HARMLESS = [
  'folder',
  'fsync',
  'rights',
  'problem',
  'indexing',
  'indexed',
  'requireIndex',
] as const;

/** What is of the whole database: refused. */
type OfAll =
  | ('size' | 'unfinished' | 'hasBeginning' | 'beginningWith' | 'observe' | 'refused' | 'sameJob')
  | ('add' | 'edit' | 'hold' | 'release' | 'save' | 'reload' | 'close');

/** What there has to be an own form of. A new way to find jobs has to stand in one of the three lists. */
type Own = Pick<JobDatabase, Exclude<keyof JobDatabase, OfAll | (typeof HARMLESS)[number]>>;

/**
 * The database as somebody sees it to whom only the jobs of one auid are shown: the others are not there. What this
 * file does not know it refuses, so that a new way to find jobs shows nothing by mistake.
 */
export function ownRecords(database: JobDatabase, auid: string): JobDatabase {
  const isOwn = (root: string) => {
    const look = database.look(root);
    return (look === undefined ? database.tree(root)?.cat(['auid']) : look.auid) === auid;
  };
  const roots = () => database.in('auid', auid);
  // Not the database's own: it tells when a short name is also that of others' jobs.
  const named = (name: string) => {
    if (database.has(name)) return isOwn(name) ? name : undefined;
    return jobCalled(name, (beginning) => database.beginningWith(beginning).filter(isOwn));
  };
  const own = {
    roots,
    has: (root) => database.has(root) && isOwn(root),
    tree: (root) => (database.has(root) && isOwn(root) ? database.tree(root) : undefined),
    named,
    shortNameOf: (root) => database.shortNameOf(root),
    in: (kind, name) => database.in(kind, name).filter((look) => look.auid === auid),
    find: async (key, value, pace) => {
      if (!NAME_KEYS.has(key)) return [...(await database.find(key, value, pace))].filter(isOwn);
      const root = typeof value === 'string' ? named(value) : undefined;
      return root === undefined ? [] : [root];
    },
    look: (root) => (database.has(root) && isOwn(root) ? database.look(root) : undefined),
    outline: (root) => (database.has(root) && isOwn(root) ? database.outline(root) : undefined),
    summary: (root) => (database.has(root) && isOwn(root) ? database.summary(root) : undefined),
    remove: (gone, options) => database.remove(gone.filter(isOwn), options),
  } as const satisfies Own;
  const harmless: ReadonlySet<PropertyKey> = new Set(HARMLESS);
  const known = new Map<PropertyKey, unknown>(Object.entries(own));
  return new Proxy(database, {
    get(target, name) {
      if (known.has(name)) return known.get(name);
      if (harmless.has(name)) {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      throw new PmanError('forbidden', 'a token with an auid cannot do this');
    },
  });
}
