import { TIME_LIMIT } from '../../crunner/job/timeLimit.ts';
import { isKill, isOutputLimit, isUnseenEnd } from './causeWords.ts';
import type { JobView } from './jobView.ts';

/** The states of a job, whatever runs it. */
export const JOB_STATES = [
  'waiting',
  'starting',
  'running',
  'succeeded',
  'failed',
  'killed',
  'lost',
] as const;
export type JobState = (typeof JOB_STATES)[number];
export type EndState = Exclude<JobState, 'waiting' | 'starting' | 'running'>;

/** Whether nothing of a job in this state goes on any more. */
export function isOver(state: JobState): state is EndState {
  return state !== 'waiting' && state !== 'starting' && state !== 'running';
}

/** Why a job does not go on, or did not succeed. */
export const REASONS = {
  queued: 'it waits for others, or for what it needs',
  exit_code: 'a part ended with an exit code that is not 0',
  signal: 'a signal that nobody here has sent ended it',
  killed: 'a client has ended it, or pman has when it was stopped',
  timeout: 'it took longer than it was allowed',
  output_limit: 'it wrote more than it was allowed',
  not_started: 'nothing of it could be started',
  engine: 'the container engine says why',
  lost: 'nobody could see how it ended',
} as const;
export type ReasonCode = keyof typeof REASONS;

export function isReasonCode(word: string | undefined): word is ReasonCode {
  return word !== undefined && Object.hasOwn(REASONS, word);
}

export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
}

/**
 * The state that a record tells.
 * @param isStarting whether a job of which nothing has started has had its turn
 */
export function stateOf(view: JobView, isStarting = false): JobState {
  switch (view.status) {
    case 'notstarted':
      // What it waits for may be said by the engine that was to start it.
      return isStarting && view.cause === null ? 'starting' : 'waiting';
    case 'started':
      return 'running';
    case 'finishedSuccessfully':
      return 'succeeded';
    case 'lost':
      return 'lost';
    case 'finishedWithError':
      return causesOf(view).some(isKill) ? 'killed' : 'failed';
  }
}

/** Why a job does not go on, or did not succeed; null when there is nothing to say. */
export function reasonOf(view: JobView, state: JobState): Reason | null {
  const [cause] = causesOf(view);
  const because = (code: ReasonCode) => ({ code, message: cause ?? REASONS[code] });
  switch (state) {
    case 'starting':
    case 'running':
    case 'succeeded':
      return null;
    case 'waiting':
      return because('queued');
    case 'lost':
      return because('lost');
    case 'killed':
      return because('killed');
    case 'failed':
      return because(failure(view, cause));
  }
}

function failure({ parts, isContainer }: JobView, cause: string | undefined): ReasonCode {
  if (cause?.startsWith(TIME_LIMIT)) return 'timeout';
  if (cause !== undefined && isOutputLimit(cause)) return 'output_limit';
  if (parts.length === 0) return 'not_started';
  if (isContainer && cause !== undefined) {
    const isKnown = parts.every(({ exitCode }) => exitCode !== null);
    return !isKnown && isUnseenEnd(cause) ? 'lost' : 'engine';
  }
  const bad = parts.find(({ exitCode }) => exitCode !== 0);
  return (bad?.exitCode ?? 0) < 0 ? 'signal' : 'exit_code';
}

function causesOf({ cause, parts }: JobView): readonly string[] {
  return [cause, ...parts.map((part) => part.cause)].filter((text) => text !== null);
}
