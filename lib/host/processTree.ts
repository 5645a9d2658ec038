import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from './controlGroups.ts';
import { signalGroup } from './processes.ts';
import { nameOf, signalOne } from './processTable.ts';
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
