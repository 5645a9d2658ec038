import { join } from 'node:path';
import type { HostUser } from '../../lib/host/users.ts';
import { quote } from '../command/shellArguments.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import type { Confinement } from './confinement.ts';
import type { Handover } from './handover.ts';

export const SHELL = '/bin/sh';

/**
 * What a part's own user does before its shell runs: the arguments of a shell, its own name first. That shell becomes the
 * part's. One that cannot do something says so on the part's standard error and ends with 126, as for a program that cannot
 * be run.
 */
export function prepared(
  { cwd, nice }: JobLimits,
  { byRlimits: { memoryBytes } }: Confinement,
  args: readonly string[],
): readonly string[] {
  const preparations = [
    ...(cwd === undefined ? [] : ['cd -- "$1"', 'shift']),
    ...(memoryBytes === undefined ? [] : [`ulimit -v ${Math.ceil(memoryBytes / 1024)}`]),
  ];
  // A command may begin with a dash: `--` says that no more flags come.
  if (preparations.length === 0 && nice === undefined) return [SHELL, ...args];
  const become = `${nice === undefined ? '' : `nice -n ${nice} `}${SHELL} "$@"`;
  const script = [...preparations.map((step) => `${step} || exit 126`), `exec ${become}`];
  return [SHELL, '-c', script.join('; '), SHELL, ...(cwd === undefined ? [] : [cwd]), ...args];
}

export interface StartedAs {
  readonly confinement: Confinement;
  readonly handover: Handover;
  /** Default: the user of this process. */
  readonly user?: HostUser | undefined;
}

/**
 * The same with what the user of this process does before that: the part goes into its control group, and becomes another
 * user. It does so itself: if this process did for a moment, a job of that user could signal it.
 */
export function asStarted(
  argv: readonly string[],
  { confinement, handover, user }: StartedAs,
): readonly string[] {
  const { group, processors } = confinement;
  const steps = [
    // 0 is the process that writes.
    ...(group === undefined ? [] : [`echo 0 > ${quote(join(group, 'cgroup.procs'))}`]),
    ...handover.steps,
  ];
  const become = [
    ...handover.become,
    ...(processors === undefined ? [] : ['taskset', '-c', processors.join(',')]),
    ...(user === undefined ? [] : becomeUser(user)),
  ];
  if (steps.length === 0 && become.length === 0) return argv;
  const script = [
    ...steps.map((step) => `${step} || exit 126`),
    `exec ${[...become, SHELL].join(' ')} "$@"`,
  ];
  return [SHELL, '-c', script.join('; '), ...argv];
}

/** With its groups alone, and no capabilities. */
function becomeUser({ uid, gid, groups }: HostUser): readonly string[] {
  const ids = ['--reuid', uid, '--regid', gid, '--groups', [gid, ...groups].join(',')];
  return ['setpriv', ...ids.map(String), '--inh-caps=-all', '--'];
}
