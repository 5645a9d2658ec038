import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { register } from './scope.ts';

/** Removes a folder tree, also while something still writes to it. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** A new empty folder, removed at the end of the test (or file) that asked for it. */
export function tempDir(name = 'pman-test'): string {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  const dispose = () => removeTree(path);
  register({ left: () => undefined, dispose });
  // A hook of the test file that runs later may have written into it again.
  register({ left: () => undefined, dispose }, 'file');
  return path;
}
