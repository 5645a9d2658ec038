import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import {
  type Controller,
  type GroupPlace,
  groupNames,
  makeGroup,
  openGroups,
  removeGroup,
} from '../../lib/host/controlGroups.ts';
import type { EnforcedLimits, Enforcer } from '../job/enforced.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import { nextStart } from './place.ts';

/** What holds a job to its limits. */
export interface Confinement {
  /** The folder of its control group. */
  readonly group?: string;
  /** What is left to setrlimit(2). */
  readonly byRlimits: Pick<JobLimits, 'memoryBytes' | 'maxProcesses'>;
  /** The numbers of the processors that it starts on; default: all. */
  readonly processors?: readonly number[];
  readonly enforced: EnforcedLimits;
}

/** Without a control group. */
export function freely(limits: JobLimits): Confinement {
  return confinement(limits, []);
}

/** Of a job on another host, whose shell applies them: there are no control groups, and it has an unknown count of processors. */
export function overSsh({ memoryBytes, cpus }: JobLimits): Confinement {
  return {
    byRlimits: {},
    enforced: {
      ...(memoryBytes === undefined ? {} : { memory: { bytes: memoryBytes, by: 'rlimit' } }),
      ...(cpus === undefined ? {} : { cpu: { cpus: Math.ceil(cpus), by: 'affinity' } }),
    },
  };
}

/**
 * Makes the control group of a job, where it is to have one and can; else it is held to its limits without.
 * @param folder its spool folder
 */
export function confine(folder: string, limits: JobLimits): Confinement {
  const { jobGroups } = nextStart();
  const { memoryBytes, cpus, maxProcesses } = limits;
  const wanted: readonly Controller[] = [
    ...(memoryBytes === undefined ? [] : (['memory'] as const)),
    ...(cpus === undefined ? [] : (['cpu'] as const)),
    ...(maxProcesses === undefined ? [] : (['pids'] as const)),
  ];
  if (jobGroups === undefined) return freely(limits);
  const { place, forAll } = jobGroups;
  if (!forAll && !wanted.some((name) => place.controllers.includes(name))) return freely(limits);
  try {
    const groups = openGroups(place, groupsName(dirname(folder)));
    const group = makeGroup(groups, basename(folder), {
      ...{ memoryBytes, cpus, processes: maxProcesses },
    });
    return { ...confinement(limits, groups.controllers), group };
  } catch (error) {
    console.error(`${folder}: no control group can be made: ${messageOf(error)}`);
    return freely(limits);
  }
}

function confinement(limits: JobLimits, controllers: readonly Controller[]): Confinement {
  const { memoryBytes, cpus, maxProcesses } = limits;
  const has = (controller: Controller) => controllers.includes(controller);
  const processors = cpus === undefined || has('cpu') ? undefined : someProcessors(Math.ceil(cpus));
  const by = <Other extends Enforcer>(controller: Controller, other: Other) =>
    has(controller) ? 'cgroup' : other;
  return {
    byRlimits: {
      ...(memoryBytes === undefined || has('memory') ? {} : { memoryBytes }),
      ...(maxProcesses === undefined || has('pids') ? {} : { maxProcesses }),
    },
    ...(processors === undefined ? {} : { processors }),
    enforced: {
      ...(memoryBytes === undefined
        ? {}
        : { memory: { bytes: memoryBytes, by: by('memory', 'rlimit') } }),
      ...(cpus === undefined
        ? {}
        : { cpu: { cpus: processors?.length ?? cpus, by: by('cpu', 'affinity') } }),
      ...(maxProcesses === undefined
        ? {}
        : { processes: { count: maxProcesses, by: by('pids', 'rlimit') } }),
    },
  };
}

let turn = 0;

/** The next ones of those that this process may run on: jobs do not all get the same. */
function someProcessors(count: number): readonly number[] {
  const all = allowedProcessors();
  turn += count;
  const from = (turn - count) % all.length;
  return [...all.slice(from), ...all.slice(0, from)].slice(0, count);
}

function allowedProcessors(): readonly number[] {
  const status = readFileSync('/proc/self/status', 'latin1');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The group of a job that a runner which is gone may have made. */
export function groupOf(folder: string): string | undefined {
  const { jobGroups } = nextStart();
  if (jobGroups === undefined) return undefined;
  const groups = groupsFolder(jobGroups.place, dirname(folder));
  const name = basename(folder);
  return groupNames(groups).includes(name) ? join(groups, name) : undefined;
}

/** Removes the groups of jobs that have ended, but for those in which something still runs. */
export function sweepGroups(spool: string, isActive: (root: string) => boolean): void {
  const { jobGroups } = nextStart();
  if (jobGroups === undefined) return;
  const groups = groupsFolder(jobGroups.place, spool);
  for (const name of groupNames(groups)) {
    if (!isActive(name)) removeGroup(join(groups, name));
  }
}

/** Removes the folder of all groups of a server, if none is left. */
export function closeGroups(spool: string): void {
  const { jobGroups } = nextStart();
  if (jobGroups !== undefined) removeGroup(groupsFolder(jobGroups.place, spool));
}

const groupsFolder = ({ folder }: GroupPlace, spool: string) => join(folder, groupsName(spool));

/** The name of the folder of the groups of a server: one for each database. */
function groupsName(spool: string): string {
  return `pman-${createHash('sha256').update(spool).digest('hex').slice(0, 12)}`;
}
