import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { makeFolder } from './folders.ts';

/** Control groups of version 2 (Linux, Documentation/admin-guide/cgroup-v2.rst). */

/** What can be limited in a group. */
export const CONTROLLERS = ['memory', 'cpu', 'pids'] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** Where this process may make groups. */
export interface GroupPlace {
  readonly folder: string;
  /** What can be limited in groups that are made there. */
  readonly controllers: readonly Controller[];
}

/** What a group may take. */
export interface GroupLimits {
  readonly memoryBytes?: number | undefined;
  /** Processors, and parts of one. */
  readonly cpus?: number | undefined;
  readonly processes?: number | undefined;
}

/** How long a slice of time is of which a group may use a part, in microseconds: the system's default. */
const PERIOD_US = 100_000;
/** The shortest part that the system takes, in microseconds. */
const MIN_QUOTA_US = 1000;
/** Where the processes of a group go, so that others can be made below it. */
const LEAF = 'pman-own';

/** Where groups of version 2 are mounted, and which this process is in; undefined where there are none. */
function ownGroup(): { readonly mount: string; readonly path: string } | undefined {
  const mounts = readText('/proc/self/mountinfo') ?? '';
  const mount = mounts.split('\n').find((line) => line.includes(' - cgroup2 '));
  const [, , , , folder] = mount?.split(' ') ?? [];
  const path = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1];
  if (folder === undefined || path === undefined || path.startsWith('/..')) return undefined;
  return { mount: folder, path };
}

/**
 * Finds where this process may make groups, and changes nothing: the part of the tree that was given to its user (systemd's
 * `Delegate=yes`, a container with groups of its own), or for root the whole of it. Undefined where there is none.
 */
export function findGroupPlace(): GroupPlace | undefined {
  const own = ownGroup();
  if (own === undefined) return undefined;
  const inTree = join(own.mount, own.path);
  const isRoot = process.geteuid?.() === 0;
  // With `DelegateSubgroup=` the processes of a service are in a group below that of the service.
  const above = own.path === '/' ? [] : [dirname(inTree)];
  const folder = (isRoot ? [own.mount] : [...above, inTree]).find(isWritable);
  if (folder === undefined) return undefined;
  const known = wordsIn(join(folder, 'cgroup.controllers'));
  return { folder, controllers: CONTROLLERS.filter((name) => known.includes(name)) };
}

function isWritable(folder: string): boolean {
  try {
    for (const name of ['.', 'cgroup.procs', 'cgroup.subtree_control']) {
      accessSync(join(folder, name), constants.W_OK);
    }
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

/**
 * Makes a folder for groups at a place, if it is not there.
 * @returns the folder, with what really can be limited in groups below it
 * @throws the system's error when the folder cannot be made
 */
export function openGroups({ folder, controllers }: GroupPlace, name: string): GroupPlace {
  const own = join(folder, name);
  makeFolder(own);
  const usable = controllers
    .filter((controller) => hasEnabled(folder, controller) || enable(folder, controller))
    .filter((controller) => hasEnabled(own, controller) || enable(own, controller));
  return { folder: own, controllers: usable };
}

const hasEnabled = (folder: string, controller: Controller) =>
  wordsIn(join(folder, 'cgroup.subtree_control')).includes(controller);

/**
 * Has a controller limit what is below a group; says whether it does. A group with processes in it has first to be emptied,
 * all but the root of the system, which is left alone.
 */
function enable(folder: string, controller: Controller): boolean {
  const order = () => answerTo(join(folder, 'cgroup.subtree_control'), `+${controller}`);
  const answer = order();
  if (answer !== 'EBUSY' || !existsSync(join(folder, 'cgroup.type'))) return answer === undefined;
  const leaf = join(folder, LEAF);
  makeFolder(leaf);
  for (const pid of wordsIn(join(folder, 'cgroup.procs')))
    answerTo(join(leaf, 'cgroup.procs'), pid);
  return order() === undefined;
}

/**
 * Makes a group with limits; what a controller is missing for is not limited.
 * @returns its folder
 * @throws the system's error when it cannot be made
 */
export function makeGroup(
  { folder, controllers }: GroupPlace,
  name: string,
  { memoryBytes, cpus, processes }: GroupLimits,
): string {
  const group = join(folder, name);
  makeFolder(group);
  const set = (file: string, value: string | number) =>
    writeFileSync(join(group, file), String(value));
  if (memoryBytes !== undefined && controllers.includes('memory')) {
    set('memory.max', memoryBytes);
    // The limit is one of memory. All of it ends when there is no more: half a job helps nobody.
    answerTo(join(group, 'memory.swap.max'), '0');
    answerTo(join(group, 'memory.oom.group'), '1');
  }
  if (cpus !== undefined && controllers.includes('cpu')) {
    set('cpu.max', `${Math.max(MIN_QUOTA_US, Math.round(cpus * PERIOD_US))} ${PERIOD_US}`);
  }
  if (processes !== undefined && controllers.includes('pids')) set('pids.max', processes);
  return group;
}

/** The processes in a group and in those below it; none when it has gone. */
export function groupProcesses(group: string): readonly number[] {
  const own = wordsIn(join(group, 'cgroup.procs')).map(Number);
  return [...own, ...groupsBelow(group).flatMap(groupProcesses)];
}

/** Kills all that is in a group, and in those below it, at once (Linux 5.14). */
export function killGroup(group: string): void {
  answerTo(join(group, 'cgroup.kill'), '1');
}

/** Removes a group, and those below it, where no process is left; says whether it is gone. */
export function removeGroup(group: string): boolean {
  for (const below of groupsBelow(group)) removeGroup(below);
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    // EBUSY: something runs in it. Whatever else it is, the next sweep tries again.
    if (code !== undefined) return code === 'ENOENT';
    throw error;
  }
}

/** What the system has counted in a group. */
export interface GroupEvents {
  /** Processes that it ended for want of memory. */
  readonly oomKills: number;
  /** Processes that it did not start, since there were too many. */
  readonly refused: number;
}

export function groupEvents(group: string): GroupEvents {
  const count = (file: string, name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readText(join(group, file)) ?? '')?.[1] ?? 0);
  return { oomKills: count('memory.events', 'oom_kill'), refused: count('pids.events', 'max') };
}

/** The names of the groups below one; none when it has gone. */
export function groupNames(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return [];
    throw error;
  }
}

const groupsBelow = (group: string) => groupNames(group).map((name) => join(group, name));

function wordsIn(file: string): readonly string[] {
  return (readText(file) ?? '').split(/\s+/).filter((word) => word !== '');
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** Writes an order to the system; the code of its error when it does not take it. */
function answerTo(file: string, order: string): string | undefined {
  try {
    writeFileSync(file, order);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== undefined) return code;
    throw error;
  }
}
