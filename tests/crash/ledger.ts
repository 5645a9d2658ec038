import type { JobPlan } from './kinds.ts';

/** What a client has been told of a job, and what may have become of it. */
export interface Entry extends JobPlan {
  readonly jid: string;
  /** It came by a directive file: whoever left that may rely on it, but is not told when it has been taken. */
  readonly isDirective: boolean;
  /** A reply has said that the job was accepted. */
  accepted: boolean;
  /** Somebody asked to end it: it may have fewer sub-jobs than planned. */
  killed: boolean;
  /** It may have been running or waiting when the runner was killed: how it ended may be unknown. */
  runnerKilled: boolean;
  /** The reply to `status` that told the most. */
  told?: State | undefined;
  /** The reply to `result` after its end. */
  result?: string | undefined;
}

/** What `status` says of one job. */
export interface State {
  readonly root: string;
  readonly status: string;
  readonly returncodes: ReadonlyArray<number | null>;
  readonly started: number;
}

const ENDED = new Set(['finishedSuccessfully', 'finishedWithError', 'lost']);

export function hasEnded(state: State | undefined): boolean {
  return state !== undefined && ENDED.has(state.status);
}

/** Reads a reply of `status` that names one jid: a state for each job that has it. */
export function statesOf(reply: Record<string, unknown>): readonly State[] {
  const told = reply.d_ret as Record<string, unknown>;
  const words = told.l_status as readonly string[];
  return words.map((status, i) => {
    const start = told[`${i}.start`] as { jobRoot: string; startTrigger: readonly true[] };
    const end = told[`${i}.end`] as { returncode: ReadonlyArray<number | null> };
    return {
      root: start.jobRoot,
      status,
      returncodes: end.returncode,
      started: start.startTrigger.length,
    };
  });
}

/** Everything that clients of one server know. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  /** What is wrong, in words. */
  readonly faults: string[] = [];

  open(jid: string, plan: JobPlan, isDirective = false): Entry {
    const flags = { isDirective, accepted: false, killed: false, runnerKilled: false };
    const entry: Entry = { ...plan, jid, ...flags };
    this.entries.set(jid, entry);
    return entry;
  }

  /**
   * Takes in what `status` told of a job.
   * @param before what was known when the question was sent: answers may pass one another
   */
  learn(entry: Entry, states: readonly State[], before: Pick<Entry, 'accepted' | 'told'>): void {
    const [state] = states;
    if (states.length > 1) this.fault(entry, `exists ${states.length} times`);
    if (state === undefined) {
      if (before.accepted || before.told) this.fault(entry, 'was accepted and is gone');
      return;
    }
    if (before.told && goesBack(before.told, state)) {
      this.fault(entry, `went from ${JSON.stringify(before.told)} to ${JSON.stringify(state)}`);
    }
    if (entry.told === undefined || !goesBack(entry.told, state)) entry.told = state;
  }

  fault(entry: Entry, what: string): void {
    this.faults.push(`job ${entry.jid} (${entry.cmd.slice(0, 200)}) ${what}`);
  }

  /** The runner is killed: of what has not ended it may never be known how it did. */
  runnerKilled(): void {
    for (const entry of this.entries.values()) {
      if (!hasEnded(entry.told)) entry.runnerKilled = true;
    }
  }
}

function goesBack(before: State, after: State): boolean {
  if (before.root !== after.root) return true;
  if (hasEnded(before)) return JSON.stringify(before) !== JSON.stringify(after);
  if (before.status === 'started' && after.status === 'notstarted') return true;
  return (
    after.started < before.started ||
    before.returncodes.some((code, k) => code !== after.returncodes[k])
  );
}
