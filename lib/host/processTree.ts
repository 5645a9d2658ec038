import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from '../errors.ts';
import { isAlive, type ProcessIdentity, signalGroup } from './processes.ts';

/** What proc(5) tells of a process. */
interface ProcessEntry extends Required<ProcessIdentity> {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** How often a group that was told to end is looked at, and how often all processes are; in milliseconds. */
const GROUP_POLL_MS = 20;
const TREE_POLL_MS = 100;
/** How often what is left is killed: it may have started others meanwhile. */
const KILL_ROUNDS = 20;
/** Not stdin: what copies a pipe has it there. */
const STREAMS = [1, 2];

/**
 * Ends everything that a process has started: the signal, and SIGKILL to what is left of it after the grace. That is its
 * process group and its session, its descendants in other sessions (`setsid`), and those that have lost their parents
 * and still have one of these pipes.
 * @param pipes as /proc names what its first process writes to
 * @returns the pids of those that could not be ended
 */
export async function endTree(
  leader: number,
  signal: NodeJS.Signals,
  graceMs: number,
  pipes: readonly string[] = [],
): Promise<readonly number[]> {
  const until = performance.now() + graceMs;
  const known = new Map<number, ProcessIdentity>();
  const look = () => findMembers(leader, known, pipes);
  const others = look().filter(({ group }) => group !== leader);
  const tell = (name: NodeJS.Signals) => {
    signalGroup(leader, name);
    for (const { pid } of others) signalOne(pid, name);
  };
  tell(signal);
  // What is stopped takes no signal but KILL until it goes on.
  tell('SIGCONT');
  for (let lookAt = 0; performance.now() < until; ) {
    await sleep(Math.min(GROUP_POLL_MS, graceMs));
    if (signalGroup(leader, 0) || performance.now() < lookAt) continue;
    if (look().length === 0) return [];
    lookAt = performance.now() + TREE_POLL_MS;
  }
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    signalGroup(leader, 'SIGKILL');
    const left = look();
    if (left.length === 0) return [];
    for (const { pid } of left) signalOne(pid, 'SIGKILL');
    await sleep(GROUP_POLL_MS);
  }
  return look().map(({ pid }) => pid);
}

/** Sends a signal to everything that a process has started, which goes on. */
export function signalTree(leader: number, signal: NodeJS.Signals): void {
  const others = findMembers(leader, new Map(), []).filter(({ group }) => group !== leader);
  signalGroup(leader, signal);
  for (const { pid } of others) signalOne(pid, signal);
}

/** Those that live; `known` has those that were found before, and gets the new ones. */
function findMembers(
  leader: number,
  known: Map<number, ProcessIdentity>,
  pipes: readonly string[],
): readonly ProcessEntry[] {
  const entries = readProcesses();
  const found = new Set<ProcessEntry>();
  const places = new Set([leader, ...known.keys()]);
  const add = (entry: ProcessEntry) => {
    found.add(entry);
    places.add(entry.pid);
    known.set(entry.pid, entry);
  };
  const isKnown = ({ pid, ticks }: ProcessEntry) => known.get(pid)?.ticks === ticks;
  const isBelow = ({ pid, parent, group, session }: ProcessEntry) =>
    pid === leader || [parent, group, session].some((place) => places.has(place));
  for (let count = -1; count !== found.size; ) {
    count = found.size;
    for (const entry of entries) {
      if (!found.has(entry) && (isKnown(entry) || isBelow(entry))) add(entry);
    }
  }
  for (const entry of entries) {
    if (!found.has(entry) && pipes.length > 0 && hasOneOf(entry.pid, pipes)) add(entry);
  }
  return [...found].filter(isAlive);
}

function hasOneOf(pid: number, pipes: readonly string[]): boolean {
  return STREAMS.some((fd) => {
    try {
      return pipes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch (error) {
      // It has ended, has no such descriptor, or is another user's.
      if (systemErrorCode(error) !== undefined) return false;
      throw error;
    }
  });
}

function readProcesses(): readonly ProcessEntry[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids
      .map(Number)
      .map(readProcess)
      .filter((entry) => entry !== undefined);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []; // no /proc here: the group is all that is known
    throw error;
  }
}

function readProcess(pid: number): ProcessEntry | undefined {
  if (pid === process.pid) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [, parent, group, session] = fields.map(Number);
    if (parent === undefined || group === undefined || session === undefined) return undefined;
    return { pid, parent, group, session, ticks: fields[19] ?? '' };
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined; // it has ended
    throw error;
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}
