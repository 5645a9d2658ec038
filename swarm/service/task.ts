import { z } from 'zod';
import { causeOf, exitCause, startCause } from '../../lib/jobs/causeWords.ts';
import { memoryText } from '../../lib/wire/memoryText.ts';

/** Every state that Docker documents for a task, in the order in which a task goes through them. */
export const taskStates = [
  'new',
  'allocated',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'remove',
  'orphaned',
] as const;
export type TaskState = (typeof taskStates)[number];

/** One task of a service as the engine shows it; what we do not use is passed through. */
const taskSchema = z.looseObject({
  ID: z.string(),
  ServiceID: z.string().optional(),
  NodeID: z.string().optional(),
  Slot: z.number().optional(),
  CreatedAt: z.string().optional(),
  DesiredState: z.string().optional(),
  Status: z.looseObject({
    State: z.string(),
    Timestamp: z.string().optional(),
    Message: z.string().optional(),
    Err: z.string().optional(),
    ContainerStatus: z
      .looseObject({
        ContainerID: z.string().optional(),
        ExitCode: z.number().optional(),
      })
      .nullish(),
  }),
});
export type Task = z.infer<typeof taskSchema>;

/** Checks the engine's list of tasks; the objects stay as they came, keys in the engine's order. */
export function parseTasks(rawTasks: unknown): readonly Task[] {
  z.array(taskSchema).parse(rawTasks);
  return rawTasks as readonly Task[]; // just checked
}

/**
 * How one task stands, in the words of the API. Jobs of pman have more of them (`lost`): those are lib/jobs/'s, and none of
 * an engine.
 */
export type JobStatus =
  | 'notstarted'
  | 'started'
  | 'finishedSuccessfully'
  | 'finishedWithError'
  | 'undefined';

const statusOfState = {
  new: 'notstarted',
  allocated: 'notstarted',
  pending: 'notstarted',
  assigned: 'notstarted',
  accepted: 'notstarted',
  preparing: 'notstarted',
  ready: 'notstarted',
  starting: 'notstarted',
  running: 'started',
  complete: 'finishedSuccessfully',
  failed: 'finishedWithError',
  // pman 2.2.4 says "undefined" of every other end, and its clients wait for a word with "finished" in it.
  shutdown: 'finishedWithError',
  rejected: 'finishedWithError',
  remove: 'finishedWithError',
  orphaned: 'finishedWithError',
} as const satisfies Record<TaskState, JobStatus>;

/** Narrows an engine's text to a state that we know. */
export function isTaskState(state: string): state is TaskState {
  return Object.hasOwn(statusOfState, state);
}

/** The API's word for a task; a state that no engine of today has is 'undefined'. */
export function jobStatusOf({ Status: { State } }: Task): JobStatus {
  return isTaskState(State) ? statusOfState[State] : 'undefined';
}

const final = new Set<string>(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);

/** Whether a task has ended: its state does not change any more. */
export function isFinal({ Status: { State } }: Task): boolean {
  return final.has(State);
}

/** Whether a task is to end, as its node is drained or lost or its service removed, and is not known to have ended. */
export function isGivenUp(task: Task): boolean {
  return !isFinal(task) && (task.DesiredState === 'shutdown' || task.DesiredState === 'remove');
}

const limitsSchema = z.looseObject({
  Spec: z.looseObject({
    Resources: z.looseObject({
      Limits: z.looseObject({ MemoryBytes: z.number().positive() }),
    }),
  }),
});

/** As text: 16Mi; undefined for a task without. */
export function memoryLimitOf(task: Task): string | undefined {
  const parsed = limitsSchema.safeParse(task);
  return parsed.success ? memoryText(parsed.data.Spec.Resources.Limits.MemoryBytes) : undefined;
}

/** Why a task ended otherwise than well, or waits, as a sentence; undefined for one that runs or did well. */
export function causeOfTask({ Status, DesiredState }: Task): string | undefined {
  const { State, Message, Err = '', ContainerStatus } = Status;
  switch (State) {
    case 'failed':
      // Docker 20: so it fails that never began, with an exit code of the engine's making.
      if (Message === 'starting') return startCause(Err, 'command');
      return causeOfFailed(Err, ContainerStatus?.ExitCode);
    case 'rejected':
      return startCause(Err);
    case 'orphaned':
      return causeOf('nodeLost', `for too long; ${Err}`);
    case 'shutdown':
      if (DesiredState === 'remove') return causeOf('removed', 'the service, or a worker of it');
      return causeOf('node', `the engine shut the container down; ${Err}`);
    case 'remove':
      return causeOf('removed', Err || 'the service');
    default:
      return Err ? startCause(Err, 'waits') : undefined;
  }
}

function causeOfFailed(said: string, exitCode: number | undefined): string {
  if (!exitCode) return causeOf('unknown', said); // one that ended well has not failed
  const isMore = said !== '' && !/^(task: )?non-zero exit \(\d+\)$/.test(said);
  return isMore ? `${exitCause(exitCode)}: ${said}` : exitCause(exitCode);
}

const ttySchema = z.looseObject({
  Spec: z
    .looseObject({ ContainerSpec: z.looseObject({ TTY: z.boolean().optional() }).optional() })
    .optional(),
});

/** Whether what a task writes goes to a terminal. */
export function hasTerminal(task: Task): boolean {
  return ttySchema.parse(task).Spec?.ContainerSpec?.TTY ?? false;
}

/** The newest first. Equal or missing times keep the engine's order. */
export function newestFirst(tasks: readonly Task[]): readonly Task[] {
  return [...tasks].sort((a, b) => {
    const [timeA, timeB] = [sortableTime(a), sortableTime(b)];
    return timeA < timeB ? 1 : timeA > timeB ? -1 : 0;
  });
}

/** The engine's times are in UTC, to the nanosecond, without the zeros at the end: as texts `…05.1Z` is after `…05.12Z`. */
function sortableTime({ CreatedAt = '' }: Task): string {
  const [seconds = '', fraction = ''] = CreatedAt.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
