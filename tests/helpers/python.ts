import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkout } from './startServer.ts';

const script = join(checkout, 'tests/engines/python.sh');
/** Holds the stand-ins that let the original run on a current Python. */
const shims = join(checkout, 'tests/engines/python');

interface Environment {
  readonly folder: string;
  /** Why it cannot be used; undefined when it can. */
  readonly missing: string | undefined;
}

let found: Environment | undefined;

function environment(): Environment {
  if (found) return found;
  const { status, stdout, error } = spawnSync(script, ['status'], { encoding: 'utf8' });
  const said = (error?.message ?? stdout).trim();
  found = { folder: said, missing: status === 0 ? undefined : said };
  return found;
}

/** Why there is no Python environment for the tests, or undefined when there is one. */
export function pythonMissing(): string | undefined {
  return environment().missing;
}

/** A program of that environment: `python`, `http`, `pman`. */
export function pythonProgram(name: string): string {
  return join(environment().folder, 'bin', name);
}

/** What a Python program of the originals needs in its environment. */
export const pythonEnv = { PYTHONPATH: shims, PYTHONDONTWRITEBYTECODE: '1' } as const;
