import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './tempDir.ts';

/** A running sshd on loopback that lets one key in. */
export interface SshServer {
  readonly user: string;
  readonly port: number;
  /** The path of a file that `tests/engines/sshd.sh` made. */
  file(name: 'id' | 'id_denied' | 'known_hosts' | 'known_hosts_wrong' | 'log'): string;
  close(): void;
}

/** Why there can be no sshd here, or undefined: for `describeWithEngine`. */
export function sshdMissing(): string | undefined {
  const script = 'PATH="$PATH:/usr/sbin:/sbin"; command -v sshd && command -v ssh';
  if (spawnSync('/bin/sh', ['-c', script]).status === 0) return undefined;
  return 'no sshd or no ssh client: install the openssh-server package';
}

/**
 * Starts an sshd of its own with its files in this folder; `maxStartups` as in sshd_config(5). Throws with the script's words when
 * it cannot.
 */
export function startSshServer(folder: string, maxStartups = '100'): SshServer {
  const env = { ...process.env, SSHD_MAX_STARTUPS: maxStartups };
  const script = (verb: 'up' | 'down') =>
    spawnSync('tests/engines/sshd.sh', [verb, folder], { encoding: 'utf8', env });
  const { status, stderr } = script('up');
  if (status !== 0) throw new Error(`sshd.sh up exits with ${status}: ${stderr}`);
  return {
    user: readFileSync(join(folder, 'user'), 'utf8').trim(),
    port: Number(readFileSync(join(folder, 'port'), 'utf8')),
    file: (name) => join(folder, name),
    close: () => {
      script('down');
      removeTree(folder);
    },
  };
}
