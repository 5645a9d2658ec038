import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { systemErrorCode } from '../errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where pman keeps its database when nobody says: `$PMAN_HOME/db`, else `pman/db` in the folder for state of the XDG
 * base directories, which is `/var/lib` for root. All of them are folders in which no other user can make anything
 * first.
 * @param uid of the user, where the system knows such
 */
export function defaultDatabase(env: Env, uid: number | undefined = process.geteuid?.()): string {
  if (env.PMAN_HOME) return join(env.PMAN_HOME, 'db');
  return join(stateHome(env, uid), 'pman', 'db');
}

function stateHome(env: Env, uid?: number): string {
  // The specification has relative paths ignored.
  if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return env.XDG_STATE_HOME;
  if (uid === 0) return '/var/lib';
  return join(homeOf(env), '.local', 'state');
}

/** The home of the user; of one who has none, as some in containers, the root, as docker says it. */
export function homeOf(env: Env): string {
  if (env.HOME) return env.HOME;
  try {
    return homedir();
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return '/';
    throw error;
  }
}
