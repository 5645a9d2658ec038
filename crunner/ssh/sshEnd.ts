import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { clientOptions, remoteScript, type SshConnection, sshArguments } from './ssh.ts';
import { defineTell, remoteKillCommand } from './sshReach.ts';
import type { RemoteProcess } from './sshRecords.ts';

/** What became of an order to end a command on another host. */
export type EndAnswer =
  /** It was signalled, and all of it is gone or was killed. */
  | { readonly kind: 'ended' }
  /** There was nothing left of it. */
  | { readonly kind: 'gone' }
  /** The host did not take the order, and why. */
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface EndOrder {
  readonly signal: NodeJS.Signals;
  /** How long before SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /**
   * Of a command whose connection is gone: its pid may be another process's by now, so that nothing is signalled unless
   * its wrapper, which has the marker among its arguments, is still there.
   */
  readonly isCutOff?: boolean;
}

/** How long to wait before the host is tried again, in milliseconds. */
const RETRIES_MS = [0, 1000, 4000];

/**
 * Ends a command on another host, with all it has started, over a connection of its own: the signal, and SIGKILL to what is
 * left of it after the grace, by a script there that goes on when this connection is lost. Never rejects.
 */
export async function endRemote(
  connection: SshConnection,
  remote: RemoteProcess,
  order: EndOrder,
): Promise<EndAnswer> {
  const args = sshArguments(connection, remoteScript(endScript(remote, order)));
  let reason = '';
  for (const waitMs of RETRIES_MS) {
    await sleep(waitMs);
    const result = await execa('ssh', args, { ...clientOptions(), stdin: 'ignore' });
    const word = result.stdout.trim().split('\n').at(-1);
    if (word === 'ended' || word === 'gone') return { kind: word };
    const { stderr, originalMessage, exitCode, signal } = result;
    const words = stderr.trim().split(/\r?\n/).at(-1) || originalMessage;
    reason = words || `ssh ended with ${exitCode ?? signal}`;
  }
  return { kind: 'unreachable', reason };
}

/** Sends a signal to all of a command on another host, which goes on. Never rejects. */
export async function passRemote(
  connection: SshConnection,
  remote: RemoteProcess,
  signal: NodeJS.Signals,
): Promise<void> {
  const args = sshArguments(connection, remoteKillCommand(remote, signal));
  await execa('ssh', args, { ...clientOptions(), stdin: 'ignore' });
}

function endScript(remote: RemoteProcess, { signal, graceMs, isCutOff = false }: EndOrder): string {
  const { wrapperPid, marker } = remote;
  const seen = `{ tr "\\000" " " </proc/${wrapperPid}/cmdline || ps -ww -o args= -p ${wrapperPid}; } 2>/dev/null`;
  return [
    ...(isCutOff ? [`${seen} | grep -qF '${marker}' || { echo gone; exit; }`] : []),
    defineTell(remote),
    `t ${signal.slice(3)} || { echo gone; exit; }`,
    't CONT', // what is stopped takes no signal but KILL until it goes on
    'i=0',
    `while test $i -lt ${Math.ceil(graceMs / 100)}`,
    'do t 0 || { echo ended; exit; }',
    // Not every sleep takes fractions.
    'if sleep 0.1 2>/dev/null; then i=$((i+1)); else sleep 1; i=$((i+10)); fi',
    'done',
    't KILL && t KILL', // once more, for what has started another one meanwhile
    'echo ended',
  ].join('\n');
}
