import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { type Inheritance, ownInheritance, type ResourceLimit } from '../../lib/host/inherited.ts';

/** What a job needs to start as a child of its server would, where the runner has been started by an earlier one. */
export interface Handover {
  /** Commands of a shell, before it becomes the job's. */
  readonly steps: readonly string[];
  /** Words in front of the command: programs that become it. */
  readonly become: readonly string[];
}

/** The flags of prlimit(1), by the system's names of the limits. */
const FLAGS: Readonly<Record<string, string>> = {
  'Max address space': 'as',
  'Max core file size': 'core',
  'Max cpu time': 'cpu',
  'Max data size': 'data',
  'Max file size': 'fsize',
  'Max file locks': 'locks',
  'Max locked memory': 'memlock',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max open files': 'nofile',
  'Max processes': 'nproc',
  'Max resident set': 'rss',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
  'Max pending signals': 'sigpending',
  'Max stack size': 'stack',
};

export interface HandedDown {
  readonly openFiles?: number | undefined;
  readonly ignored?: readonly string[] | undefined;
  readonly inheritance?: Inheritance | undefined;
}

/**
 * What makes up for the difference between this process and the server. It is done in each job, since this process could
 * not go back: a limit that is lowered stays so. What the system does not allow (a higher limit, for others than root)
 * is left as it is, and said.
 */
export function handover({ openFiles, ignored = [], inheritance }: HandedDown): Handover {
  const own = ownInheritance();
  const { limits, nice, oomScoreAdj } = inheritance ?? own;
  const flags = Object.entries(FLAGS).flatMap(([name, flag]) => {
    const wanted = limits[name];
    const soft = flag === 'nofile' ? softOpenFiles(wanted, own.limits[name], openFiles) : undefined;
    return wanted === undefined || isSame(wanted, own.limits[name], flag)
      ? []
      : [`--${flag}=${soft ?? wanted.soft}:${wanted.hard}`];
  });
  const prlimit = allowed(['prlimit'], flags);
  const steps = [
    ...(ignored.length === 0 ? [] : [`trap '' ${ignored.join(' ')}`]),
    ...(oomScoreAdj === undefined || oomScoreAdj === own.oomScoreAdj
      ? []
      : [`echo ${oomScoreAdj} > /proc/self/oom_score_adj`]),
  ].filter(isPossible);
  const renice = nice === own.nice ? [] : allowed(['nice'], [`-n${nice - own.nice}`]);
  return { steps, become: [...prlimit, ...renice] };
}

/** Whether this process hands down something else than a server would. */
export function isOther({ limits, nice, oomScoreAdj, groups }: Inheritance): boolean {
  const own = ownInheritance();
  const hasOtherLimit = Object.entries(FLAGS).some(
    ([name, flag]) => limits[name] !== undefined && !isSame(limits[name], own.limits[name], flag),
  );
  const hasOtherGroup = groups.some((line) => !own.groups.includes(line));
  return hasOtherLimit || hasOtherGroup || nice !== own.nice || oomScoreAdj !== own.oomScoreAdj;
}

/** Node raises the soft limit of open files in both processes. */
function isSame(wanted: ResourceLimit, own: ResourceLimit | undefined, flag: string): boolean {
  return wanted.hard === own?.hard && (flag === 'nofile' || wanted.soft === own.soft);
}

function softOpenFiles(
  wanted: ResourceLimit | undefined,
  own: ResourceLimit | undefined,
  openFiles: number | undefined,
): string | undefined {
  return wanted?.hard === own?.hard ? undefined : openFiles?.toString();
}

/** The program with those of its flags that it can do. */
function allowed(program: readonly string[], flags: readonly string[]): readonly string[] {
  const [file = '', ...first] = program;
  const tried = flags.filter((flag) => {
    const { status, stderr } = spawnSync(file, [...first, flag, 'true'], { encoding: 'utf8' });
    // nice(1) goes on when it may not.
    const isDone = status === 0 && stderr === '';
    if (!isDone) console.error(`jobs do not get ${file} ${flag}: the system does not allow it`);
    return isDone;
  });
  return tried.length === 0 ? [] : [...program, ...tried];
}

function isPossible(step: string): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', `{ ${step}; } 2>/dev/null`], { stdio: 'ignore' });
  if (status !== 0) console.error(`jobs do not get ${step}: the system does not allow it`);
  return status === 0;
}

/** Puts this process, and so its children from now on, into the control groups of the server, where it is in others. */
export function joinGroups(groups: readonly string[]): void {
  const own = ownInheritance().groups;
  for (const line of groups) {
    if (own.includes(line)) continue;
    const [number = '', controllers = '', ...path] = line.split(':');
    const mount = mountOf(number, controllers);
    if (mount === undefined) continue;
    try {
      writeFileSync(join(mount, path.join(':'), 'cgroup.procs'), String(process.pid));
    } catch (error) {
      console.error(`jobs stay in the control group of the runner: ${messageOf(error)}`);
    }
  }
}

/** Where a hierarchy is mounted: that of version 2 has the number 0, those of version 1 are known by their controllers. */
function mountOf(number: string, controllers: string): string | undefined {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const found = lines.find((line) => {
    const [, behind = ''] = line.split(' - ');
    const [type, , options = ''] = behind.split(' ');
    return number === '0'
      ? type === 'cgroup2'
      : type === 'cgroup' &&
          controllers.split(',').every((one) => options.split(',').includes(one));
  });
  return found?.split(' ')[4];
}
