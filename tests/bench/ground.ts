import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a benchmark keeps its files, until it removes the folder at its end. */
export interface Ground {
  readonly folder: string;
  /** A new folder in it, with the files of which nothing that was removed interferes. */
  plot(name: string): string;
}

/**
 * A folder in the system's place for temporary files. Before ext4 makes a file it passes over every inode of the block group
 * that was deleted in the last minutes (`recently_deleted` in fs/ext4/ialloc.c), so that making one takes ten times as long
 * near a tree that somebody has just removed. The `T` attribute has it put each plot into another group (chattr(1)); elsewhere
 * it is refused, and not needed.
 */
export function freshGround(name: string): Ground {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  spawnSync('chattr', ['+T', folder], { stdio: 'ignore' });
  return {
    folder,
    plot: (part) => {
      const path = join(folder, part);
      mkdirSync(path);
      return path;
    },
  };
}
