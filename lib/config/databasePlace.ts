import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where pman keeps its database when nobody says: `$PMAN_HOME/db`, else `pman/db` in the folder for state of the XDG
 * base directories, which is `/var/lib` for root. All of them are folders in which no other user can make anything
 * first.
 * @param uid of the user, where the system knows such
 */
export function defaultDatabase(
  env: Readonly<Record<string, string | undefined>>,
  uid: number | undefined = process.geteuid?.(),
): string {
  if (env.PMAN_HOME) return join(env.PMAN_HOME, 'db');
  return join(stateHome(env, uid), 'pman', 'db');
}

function stateHome(env: Readonly<Record<string, string | undefined>>, uid?: number): string {
  // The specification has relative paths ignored.
  if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return env.XDG_STATE_HOME;
  if (uid === 0) return '/var/lib';
  return join(env.HOME || homedir(), '.local', 'state');
}
