import { groupProcesses } from './controlGroups.ts';
import { isAlive, type ProcessIdentity } from './processes.ts';
import {
  hasOneOf,
  hasVariable,
  type ProcessEntry,
  processNumbers,
  readProcess,
  readProcesses,
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

/** Looks for the processes of a tree, and remembers them: what was a child once belongs to it for ever. */
export class TreeSearch {
  readonly #leader: number;
  readonly #marks: TreeMarks;
  /** Those that were found, by pid. */
  readonly #known = new Map<number, ProcessIdentity>();
  /** Those that have not got the variable. A process gets none later. */
  readonly #strangers = new Set<string>();
  /** Those that need no look when only new ones are sought. */
  #seen = new Set<number>();

  constructor(leader: number, marks: TreeMarks) {
    this.#leader = leader;
    this.#marks = marks;
  }

  /** Those that live. */
  look(): readonly ProcessEntry[] {
    return this.members(readProcesses()).filter(isAlive);
  }

  /**
   * Looks for those that have come since the last look, which takes a fraction of that: the newest first, for that is the one
   * which starts the next.
   * @param take is called for each as soon as it is found
   * @returns whether there was any
   */
  lookForNew(take: (entry: ProcessEntry) => void): boolean {
    const numbers = processNumbers();
    const isNew = numbers.filter((pid) => !this.#seen.has(pid)).sort((a, b) => b - a);
    this.#seen = new Set(numbers.filter((pid) => this.#seen.has(pid)));
    let hasFound = false;
    for (const pid of isNew) {
      const entry = readProcess(pid);
      if (entry === undefined || !(this.#isBelowKnown(entry) || this.#isMarked(entry))) continue;
      take(entry);
      this.#known.set(pid, entry);
      this.#seen.add(pid);
      hasFound ||= isAlive(entry);
    }
    return hasFound;
  }

  #isBelowKnown({ parent, group, session }: ProcessEntry): boolean {
    return [parent, group, session].some(
      (place) => place === this.#leader || this.#known.has(place),
    );
  }

  /** Those of a table of processes. */
  members(entries: readonly ProcessEntry[]): readonly ProcessEntry[] {
    this.#seen = new Set(entries.map(({ pid }) => pid));
    this.#forgetReused(entries);
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
    return [...found];
  }

  /** A number that another process has by now leads to nobody: none is left of the group or session that it named. */
  #forgetReused(entries: readonly ProcessEntry[]): void {
    for (const { pid, ticks } of entries) {
      const known = this.#known.get(pid);
      if (known !== undefined && known.ticks !== ticks) this.#known.delete(pid);
    }
  }

  #isMarked({ pid, ticks }: ProcessEntry): boolean {
    const { pipes = [], variable } = this.#marks;
    if (pipes.length > 0 && hasOneOf(pid, pipes)) return true;
    const name = `${pid} ${ticks}`;
    if (variable === undefined || this.#strangers.has(name)) return false;
    const has = hasVariable(pid, variable);
    if (has === false) this.#strangers.add(name);
    return has === true;
  }
}
