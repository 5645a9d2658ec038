import { timeIn } from '../../lib/host/stamps.ts';
import type { Look, Worker } from '../../lib/jobs/container/engine.ts';
import type { JsonObject } from '../../lib/wire/json.ts';
import { exitCodeOf, outcomeOf } from './shownTask.ts';
import { causeOfTask, isFinal, jobStatusOf, type Task } from './task.ts';

/**
 * How a job stands as a whole, from its tasks, the newest first: it has ended when every worker's newest task has, and
 * failed when any of them did. Undefined without tasks.
 * @param cause when more is known than the tasks say
 */
export function lookOfTasks(tasks: readonly Task[], cause?: string): Look | undefined {
  const task = decidingTask(tasks);
  if (task === undefined) return undefined;
  const counting = newestOfSlots(tasks);
  const said = cause ?? causeOfTask(task);
  const seen = {
    workers: [...counting].reverse().map(workerOf),
    shown: shownOf(task),
    ...(said === undefined ? {} : { cause: said }),
  };
  if (counting.every(isFinal)) return { kind: 'ended', outcome: outcomeOf(endOf(task)), ...seen };
  // Some have ended and some wait to start: it has started.
  const hasStarted = jobStatusOf(task) === 'started' || counting.some(isFinal);
  return { kind: hasStarted ? 'running' : 'waiting', ...seen };
}

/** How many of a job's workers have none of these tasks. */
export function missingWorkers(known: readonly Task[], workers = 1): number {
  return Math.max(0, workers - newestOfSlots(known).length);
}

/**
 * The tasks that stand for workers of which nothing is left, as somebody has removed them. The engine does not tell of them: of
 * a job some of whose workers are gone nobody knows that it ended well.
 */
export function removedTasks(known: readonly Task[], workers = 1): readonly Task[] {
  const missing = missingWorkers(known, workers);
  return standIns(missing, 'removed', {
    ...{ State: 'remove', Message: 'removed', Err: `${missing} of its ${workers} workers` },
  });
}

/** The tasks that stand for workers that the engine has not got to yet. */
export function unmadeTasks(known: readonly Task[], workers = 1): readonly Task[] {
  const missing = missingWorkers(known, workers);
  return standIns(missing, 'unmade', { State: 'new', Message: 'created' });
}

const standIns = (count: number, id: string, Status: Task['Status']): readonly Task[] =>
  Array.from({ length: count }, (_, i) => ({ ID: `${id}.${i + 1}`, Status }));

/** The task that says most, of the newest of each worker: what still runs, else what went wrong, else the newest. */
export function decidingTask(all: readonly Task[]): Task | undefined {
  const tasks = newestOfSlots(all);
  return (
    tasks.find((task) => jobStatusOf(task) === 'started') ??
    tasks.find((task) => !isFinal(task)) ??
    tasks.find(({ Status }) => Status.State === 'failed') ??
    tasks.find((task) => jobStatusOf(task) === 'finishedWithError') ??
    tasks[0]
  );
}

/** Each worker's newest task. */
function newestOfSlots(tasks: readonly Task[]): readonly Task[] {
  const slots = new Set<string>();
  return tasks.filter(({ Slot, ID }) => {
    const slot = Slot === undefined ? ID : String(Slot);
    if (slots.has(slot)) return false;
    slots.add(slot);
    return true;
  });
}

function workerOf(task: Task): Worker {
  const cause = causeOfTask(task);
  return {
    id: task.ID,
    exitCode: isFinal(task) ? exitCodeOf(endOf(task)) : null,
    endedAt: isFinal(task) ? timeIn(task.Status.Timestamp) : undefined,
    ...(cause === undefined ? {} : { cause }),
    shown: shownOf(task),
  };
}

const endOf = ({ Status: { State, Message, ContainerStatus } }: Task) => ({
  state: State,
  code: ContainerStatus?.ExitCode,
  message: Message,
});

/** The engine's answer was JSON. */
const shownOf = (task: Task) => task as unknown as JsonObject;
