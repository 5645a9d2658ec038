import { isOthersTurn, turn } from '../concurrency/turns.ts';
import type { TreeCache } from './cache.ts';
import { recordNames } from './folder.ts';
import type { Catalog } from './index/catalog.ts';
import type { RecordRemover } from './recordRemover.ts';
import type { RecordWriter } from './recordWriter.ts';

interface RereadingParts {
  /** The folder of the records. */
  readonly folder: string;
  readonly catalog: Catalog;
  readonly cache: TreeCache;
  readonly writer: RecordWriter;
  readonly remover: RecordRemover;
}

/** Reads all records again that nobody is changing, some at a time: what is known of them stays until then. */
export async function readAnew(parts: RereadingParts): Promise<void> {
  const { folder, catalog, cache, writer, remover } = parts;
  const isOurs = (root: string) => writer.has(root) || cache.isPinned(root);
  const names = new Set(recordNames(folder));
  remover.forget(new Set([...catalog.roots()].filter((root) => !names.has(root) && !isOurs(root))));
  for (const root of names) {
    if (!isOurs(root)) {
      cache.remove(root);
      catalog.readRecord(root);
    }
    if (isOthersTurn()) await turn();
  }
}
