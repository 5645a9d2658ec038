import { readFileSync } from 'node:fs';

/** The name that `hello` answers. */
export const NAME = 'pman';

/** The version of this package, as package.json says; beside the sources or one folder above the compiled files. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const here = import.meta.url;
  const up = here.includes('/dist/lib/') ? '../../package.json' : '../package.json';
  const text = readFileSync(new URL(up, here), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
