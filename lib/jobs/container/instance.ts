import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../host/atomicFile.ts';
import { makeFolder } from '../../host/folders.ts';
import { PRIVATE } from '../../host/rights.ts';

/** A name of this server that outlives it: what it makes at an engine carries it. */
export function instanceOf(workFolder: string): string {
  const file = join(workFolder, 'instance');
  if (!existsSync(file)) {
    makeFolder(workFolder, PRIVATE.folder);
    replaceFile(file, randomUUID());
  }
  return readFileSync(file, 'utf8').trim();
}
