import { readFileSync } from 'node:fs';
import { withoutMark } from '../config/byteOrderMark.ts';
import { contextsFile } from './serverPlace.ts';

/** The names of the contexts, and which one is current; none where the file is not there, or not as it should be. */
export function contextNames(env: Readonly<Record<string, string | undefined>>): {
  readonly names: readonly string[];
  readonly current: string | undefined;
} {
  try {
    const value: unknown = JSON.parse(withoutMark(readFileSync(contextsFile(env), 'utf8')));
    if (typeof value !== 'object' || value === null || !('contexts' in value)) return NONE;
    const { contexts } = value;
    const current =
      'current' in value && typeof value.current === 'string' ? value.current : undefined;
    return typeof contexts === 'object' && contexts !== null
      ? { names: Object.keys(contexts), current }
      : NONE;
  } catch {
    return NONE;
  }
}

const NONE = { names: [], current: undefined } as const;
