import { spawnSync } from 'node:child_process';
import { UsageError } from '../errors.ts';

/** A user of this host, as far as a process needs to know that runs as it. */
export interface HostUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The supplementary groups. */
  readonly groups: readonly number[];
  readonly home: string;
}

/**
 * Finds a user by name or number, wherever the system has it from.
 * @throws UsageError when there is no such user
 */
export function findUser(name: string): HostUser {
  const ask = (program: string, ...args: readonly string[]) => {
    const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0)
      throw new UsageError(`--jobUser: there is no user ${JSON.stringify(name)}`, {
        hint: 'make that user (useradd), or name another one',
      });
    return stdout.trim();
  };
  if (spawnSync('setpriv', ['--version']).status !== 0)
    throw new UsageError('--jobUser needs the program setpriv (of util-linux)', {
      hint: 'install util-linux, or leave --jobUser out',
    });
  const [login = '', , uid, gid, , home = '/'] = ask('getent', 'passwd', '--', name).split(':');
  const groups = ask('id', '-G', '--', login).split(' ').map(Number);
  return { name: login, uid: Number(uid), gid: Number(gid), groups, home };
}
