import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Remembers which of these folders and files, and of the folders that hold them, are not there yet; so that a start that is
 * refused leaves none behind.
 * @returns removes those of them that have come: a folder when it is empty, the files when nothing else is beside them
 */
export function rememberMissing(paths: {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}): () => void {
  const missing = new Set<string>();
  for (const folder of paths.folders) {
    for (let path = folder; !existsSync(path); path = dirname(path)) missing.add(path);
  }
  // What lies in another one goes first.
  const deepestFirst = [...missing].sort((a, b) => b.length - a.length);
  const files = paths.files.filter((file) => missing.has(dirname(file)));
  return () => {
    for (const folder of deepestFirst) {
      removeAlone(files.filter((file) => dirname(file) === folder));
      removeEmpty(folder);
    }
  };
}

/** Removes files of one folder, unless something else is there: then they are in use. */
function removeAlone(files: readonly string[]): void {
  const [first] = files;
  if (first === undefined || !existsSync(dirname(first))) return;
  const names = new Set(files.map((file) => basename(file)));
  if (readdirSync(dirname(first)).some((name) => !names.has(name))) return;
  for (const file of files) rmSync(file, { force: true });
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It has something in it, or is not there: it stays as it is.
  }
}
