import { setTimeout as sleep } from 'node:timers/promises';
import { groupProcesses, killGroup } from './controlGroups.ts';
import { isAlive, type ProcessIdentity, signalGroup } from './processes.ts';
import {
  hasOneOf,
  hasVariable,
  nameOf,
  type ProcessEntry,
  readProcesses,
  signalOne,
} from './processTable.ts';

/** What else than its parents tells that a process belongs to a tree. */
export interface TreeMarks {
  /** Pipes as /proc names them: whoever still writes to one belongs to it. */
  readonly pipes?: readonly string[] | undefined;
  /** A variable that all its processes were started with: `NAME=value`. */
  readonly variable?: string | undefined;
  /** The folder of the control group that they are in: nobody leaves that unseen. */
  readonly group?: string | undefined;
}

/** A process that could not be ended. */
export interface LeftProcess {
  readonly pid: number;
  /** As the system shows it: at most 15 characters of its file. */
  readonly name: string;
}

/** How often a group that was told to end is looked at, and how often all processes are; in milliseconds. */
const GROUP_POLL_MS = 20;
const TREE_POLL_MS = 100;
/** How often what is left is killed: it may have started others meanwhile. */
const KILL_ROUNDS = 40;
/** From this round on all are stopped before they are killed: what is stopped starts nothing. */
const STOP_FROM_ROUND = 3;

/**
 * Ends everything that a process has started: the signal, and SIGKILL to what is left of it after the grace. That is its
 * process group and its session, its descendants in other sessions (`setsid`), and what the marks tell of those that have
 * lost their parents.
 * @returns those that could not be ended
 */
export async function endTree(
  leader: number,
  signal: NodeJS.Signals,
  graceMs: number,
  marks: TreeMarks = {},
): Promise<readonly LeftProcess[]> {
  const until = performance.now() + graceMs;
  const search = new TreeSearch(leader, marks);
  const others = search.look().filter(({ group }) => group !== leader);
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
    if (search.look().length === 0) return [];
    lookAt = performance.now() + TREE_POLL_MS;
  }
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    signalGroup(leader, 'SIGKILL');
    if (marks.group !== undefined) killGroup(marks.group);
    const found = search.look();
    if (found.length === 0) return [];
    if (round >= STOP_FROM_ROUND) for (const { pid } of found) signalOne(pid, 'SIGSTOP');
    for (const { pid } of round < STOP_FROM_ROUND ? found : search.look()) {
      signalOne(pid, 'SIGKILL');
    }
    await sleep(GROUP_POLL_MS);
  }
  return search.look().map(({ pid }) => ({ pid, name: nameOf(pid) }));
}

/** Sends a signal to everything that a process has started, which goes on. */
export function signalTree(leader: number, signal: NodeJS.Signals, marks: TreeMarks = {}): void {
  const found = new TreeSearch(leader, marks).look();
  const others = found.filter(({ group }) => group !== leader);
  signalGroup(leader, signal);
  for (const { pid } of others) signalOne(pid, signal);
}

/** Looks for the processes of a tree, and remembers them: what was a child once belongs to it for ever. */
class TreeSearch {
  readonly #leader: number;
  readonly #marks: TreeMarks;
  /** Those that were found, by pid. */
  readonly #known = new Map<number, ProcessIdentity>();
  /** Those that have not got the variable. A process gets none later. */
  readonly #strangers = new Set<string>();

  constructor(leader: number, marks: TreeMarks) {
    this.#leader = leader;
    this.#marks = marks;
  }

  /** Those that live. */
  look(): readonly ProcessEntry[] {
    const entries = readProcesses();
    const found = new Set<ProcessEntry>();
    const places = new Set([this.#leader, ...this.#known.keys()]);
    const { group } = this.#marks;
    const inGroup = new Set(group === undefined ? [] : groupProcesses(group));
    const add = (entry: ProcessEntry) => {
      found.add(entry);
      places.add(entry.pid);
      this.#known.set(entry.pid, entry);
    };
    for (const entry of entries) {
      const { pid, ticks } = entry;
      const isKnown = this.#known.get(pid)?.ticks === ticks || inGroup.has(pid);
      if (isKnown || this.#isMarked(entry)) add(entry);
    }
    const isBelow = ({ pid, parent, group, session }: ProcessEntry) =>
      pid === this.#leader || [parent, group, session].some((place) => places.has(place));
    for (let count = -1; count !== found.size; ) {
      count = found.size;
      for (const entry of entries) if (!found.has(entry) && isBelow(entry)) add(entry);
    }
    return [...found].filter(isAlive);
  }

  #isMarked({ pid, ticks }: ProcessEntry): boolean {
    const { pipes = [], variable } = this.#marks;
    if (pipes.length > 0 && hasOneOf(pid, pipes)) return true;
    const name = `${pid} ${ticks}`;
    if (variable === undefined || this.#strangers.has(name)) return false;
    if (hasVariable(pid, variable)) return true;
    this.#strangers.add(name);
    return false;
  }
}
