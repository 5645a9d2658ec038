import { isOthersTurn, turn } from '../../concurrency/turns.ts';
import { digestIn } from '../../transfer/digestIn.ts';
import { HeldTree } from '../../transfer/heldTree.ts';
import { OpenFolder } from '../../transfer/openFolder.ts';
import { PurlFailure } from '../failure.ts';
import type { Found, SizedFile } from './askPfioh.ts';

const KEPT_MODE = 0o1777;

/** The names of the files that are the same on both sides: size, content and permission bits. Times do not count. */
export async function sameFiles(
  top: string,
  files: readonly (SizedFile & { readonly mode: number })[],
  found: AsyncIterable<{ readonly file: SizedFile; readonly found: Found }>,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const same = new Set<string>();
  const modes = new Map(files.map(({ name, mode }) => [name, mode]));
  const held = OpenFolder.at(top, undefined);
  const tree = new HeldTree(held);
  try {
    for await (const { file, found: there } of found) {
      if (isOthersTurn()) await turn();
      if (signal?.aborted) throw new PurlFailure('interrupted', 'interrupted');
      if (there === undefined) continue;
      const here = await digestIn(tree, file.name, file.size);
      if (here === undefined || here.sha256 !== there.sha256) continue;
      // One of the two is what was listed, the other one what lies here.
      const listed = (modes.get(file.name) ?? 0) & KEPT_MODE;
      if (listed === here.mode && here.mode === there.mode) same.add(file.name);
    }
  } finally {
    tree.close();
    held.close();
  }
  return same;
}
