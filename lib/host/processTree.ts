import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from './controlGroups.ts';
import { signalGroup } from './processes.ts';
import { isYetToAct, nameOf, type ProcessEntry, signalOne } from './processTable.ts';
import { type TreeMarks, TreeSearch } from './treeSearch.ts';

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
/** How long those that start others are run after until all are stopped, in milliseconds. */
const CHASE_MS = 1000;
/** So many looks for new ones find none before all count as stopped, and how long one waits for the next, in milliseconds. */
const QUIET_LOOKS = 3;
const QUIET_MS = 1;
/** What was stopped has to run before a signal reaches it. So long it is waited for at most, in milliseconds: KILL is quicker. */
const DELIVERY_MS = 1000;

/**
 * Ends everything that a process has started: the signal, and SIGKILL to what is left of it after the grace. That is its
 * process group and its session, its descendants in other sessions (`setsid`), and what the marks tell of those that have
 * lost their parents. All are stopped before they get a signal: what is stopped starts nothing that the signal would miss.
 * @returns those that could not be ended
 */
export async function endTree(
  leader: number,
  signal: NodeJS.Signals,
  graceMs: number,
  marks: TreeMarks = {},
): Promise<readonly LeftProcess[]> {
  const search = new TreeSearch(leader, marks);
  const all = await stopAll(leader, search);
  const others = all.filter(({ group }) => group !== leader);
  const tell = (name: NodeJS.Signals) => {
    signalGroup(leader, name);
    for (const { pid } of others) signalOne(pid, name);
  };
  tell(signal);
  // What is stopped takes no signal but KILL until it goes on.
  tell('SIGCONT');
  const until = performance.now() + graceMs;
  await untilTaken(all, signal);
  for (let lookAt = 0; performance.now() < until; ) {
    await sleep(Math.min(GROUP_POLL_MS, graceMs));
    if (signalGroup(leader, 0) || performance.now() < lookAt) continue;
    if (isGone(search)) return [];
    lookAt = performance.now() + TREE_POLL_MS;
  }
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    signalGroup(leader, 'SIGKILL');
    if (marks.group !== undefined) killGroup(marks.group);
    if (isGone(search)) return [];
    for (const { pid } of await stopAll(leader, search)) signalOne(pid, 'SIGKILL');
    await sleep(GROUP_POLL_MS);
  }
  return search.look().map(({ pid }) => ({ pid, name: nameOf(pid) }));
}

/** Stops all that live, and those that they have started by then, as far as that goes in a second. */
async function stopAll(leader: number, search: TreeSearch): Promise<readonly ProcessEntry[]> {
  const stop = ({ pid }: ProcessEntry) => signalOne(pid, 'SIGSTOP');
  signalGroup(leader, 'SIGSTOP');
  for (const entry of search.look()) stop(entry);
  const until = performance.now() + CHASE_MS;
  for (let quiet = 0; quiet < QUIET_LOOKS && performance.now() < until; ) {
    if (search.lookForNew(stop)) {
      quiet = 0;
      await nextTurn();
    } else {
      quiet += 1;
      await sleep(QUIET_MS);
    }
  }
  return search.look();
}

/**
 * Waits until a signal has done to all of them what it does: without a grace, too, what ends by the signal that was asked for
 * does not end by another one.
 */
async function untilTaken(entries: readonly ProcessEntry[], signal: NodeJS.Signals): Promise<void> {
  const until = performance.now() + DELIVERY_MS;
  while (performance.now() < until && entries.some(({ pid }) => isYetToAct(pid, signal))) {
    await sleep(QUIET_MS);
  }
}

/** Whether nothing lives. One that was found has ended, and the next that it started has come, while the others were read. */
function isGone(search: TreeSearch): boolean {
  return search.look().length === 0 && !search.lookForNew(() => undefined);
}

/** Sends a signal to everything that a process has started, which goes on. */
export function signalTree(leader: number, signal: NodeJS.Signals, marks: TreeMarks = {}): void {
  const found = new TreeSearch(leader, marks).look();
  const others = found.filter(({ group }) => group !== leader);
  signalGroup(leader, signal);
  for (const { pid } of others) signalOne(pid, signal);
}
