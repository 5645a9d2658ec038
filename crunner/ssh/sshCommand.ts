import { randomUUID } from 'node:crypto';
import { quote } from '../command/shellArguments.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import { fitsSsh, remoteCommand } from './ssh.ts';

/** What tells the wrapper's records from the command's own words: hard to guess, and harmless to every shell. */
export function newMarker(): string {
  return `crunner-${randomUUID()}:`;
}

/**
 * The text for the remote login shell that runs a command under limits. What cannot be done there says so on the
 * command's standard error and ends it with 126, as on this host.
 * @throws SshError for a command with a NUL
 */
export function limitedCommand(command: string, limits: JobLimits, marker = newMarker()): string {
  const { cwd, env, memoryBytes, nice } = limits;
  const steps = [
    ...(cwd === undefined ? [] : [`cd -- ${quote(cwd)}`]),
    ...Object.entries(env ?? {}).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(memoryBytes === undefined ? [] : [`ulimit -v ${Math.ceil(memoryBytes / 1024)}`]),
  ];
  if (steps.length === 0 && nice === undefined) return remoteCommand(command, marker);
  const become = `exec ${nice === undefined ? '' : `nice -n ${nice} `}/bin/sh -c -- ${quote(command)}`;
  return remoteCommand([...steps.map((step) => `${step} || exit 126`), become].join('; '), marker);
}

/** Whether ssh can carry a command with the connection; a longer one has to be put on its host before. */
export function isCarried(command: string, limits: JobLimits = {}): boolean {
  // What is longer than this need not be looked at.
  return command.length < 128 * 1024 && fitsSsh(limitedCommand(command, limits));
}
