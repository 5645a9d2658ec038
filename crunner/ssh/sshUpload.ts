import { execa } from 'execa';
import { signalGroupOf } from '../../lib/host/processes.ts';
import type { Surroundings } from '../command/surroundings.ts';
import {
  clientOptions,
  remoteScript,
  SSH_FAILED,
  type SshConnection,
  SshError,
  sshArguments,
  sshFailure,
} from './ssh.ts';

/** A long command on its way to another host. */
export interface Upload {
  /**
   * Resolves to a short command that runs the long one.
   * Rejects with SshError when it cannot be put there, with the system's error when there is no ssh client.
   */
  readonly loader: Promise<string>;
  /** Gives up. */
  kill(signal: NodeJS.Signals): void;
}

const PUT = [
  'umask 077',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell, not a template
  'f=$(mktemp "${TMPDIR:-/tmp}/crunner.XXXXXXXX") || exit 1',
  'cat >"$f" || { rm -f "$f"; exit 1; }',
  'printf "%s;" "$f"',
].join('\n');

/**
 * Puts a command that is too long for an argument into a temporary file on another host, over a connection of its own: the
 * command's stdin stays what it is. The file is gone as soon as the command begins.
 */
export function uploadCommand(
  connection: SshConnection,
  command: string,
  where: Surroundings = {},
): Upload {
  const args = sshArguments(connection, remoteScript(PUT));
  const client = execa('ssh', args, { ...clientOptions(where), input: command });
  const put = async () => {
    const { exitCode = SSH_FAILED, cause, stdout, stderr } = await client;
    if (client.pid === undefined) throw cause;
    // What a login shell may print of its own comes before.
    const file = /(\/[^\n;']*);$/.exec(stdout)?.[1];
    if (exitCode === 0 && file !== undefined) return loaderOf(file);
    throw exitCode === 0
      ? new SshError('remote', 'the host did not take the command')
      : sshFailure(connection.target, stderr, exitCode);
  };
  const loader = put();
  loader.catch(() => undefined); // whoever waits for it hears of it
  return { loader, kill: (signal) => signalGroupOf(client, signal) };
}

/** A command that runs what a file of the host holds, in the same shell, and removes the file before it begins. */
export function loaderOf(file: string): string {
  const read = `_crunner=$(cat '${file}' && echo _) && rm -f '${file}' || exit 126`;
  return `${read}; eval "unset _crunner; \${_crunner%_}"`;
}
