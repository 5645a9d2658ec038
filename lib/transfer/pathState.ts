import { type Stats, statSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import { pathError } from './tree.ts';

/** What a path is, as both programs report it. */
export interface PathState {
  readonly status: boolean;
  readonly isfile: boolean;
  readonly isdir: boolean;
}

/** What is at a path, links followed; undefined also when there is a file in place of a folder on the way. @throws PmanError */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw pathError(path, 'look at', cause);
  }
}

/** @throws PmanError when it cannot be told */
export function pathState(path: string): PathState {
  const stats = statsOf(path);
  return {
    status: stats !== undefined,
    isfile: stats?.isFile() ?? false,
    isdir: stats?.isDirectory() ?? false,
  };
}
