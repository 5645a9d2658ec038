import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name that pman's `hello` answers. */
export const NAME = 'pman';

/** The version of this package: that of the package.json above this file, in the sources and in dist/. */
export const VERSION: string = readVersion(dirname(fileURLToPath(import.meta.url)));

function readVersion(folder: string): string {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return readVersion(dirname(folder));
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: unknown };
  return String(manifest.version);
}
