import type { Look, Outcome, Worker } from '../../lib/jobs/container/engine.ts';
import type { JsonObject } from '../../lib/wire/json.ts';
import { causeOf, isFinal, type JobStatus, jobStatusOf, type Task } from './task.ts';

/**
 * How a job stands as a whole, from its tasks, the newest first: it has ended when every worker's newest task has, and
 * failed when any of them did. Undefined without tasks.
 * @param cause when more is known than the tasks say
 */
export function lookOfTasks(tasks: readonly Task[], cause?: string): Look | undefined {
  const task = decidingTask(tasks);
  if (task === undefined) return undefined;
  const counting = newestOfSlots(tasks);
  const said = cause ?? causeOf(task);
  const seen = {
    workers: [...counting].reverse().map(workerOf),
    shown: shownOf(task),
    ...(said === undefined ? {} : { cause: said }),
  };
  if (counting.every(isFinal))
    return { kind: 'ended', outcome: OUTCOMES[jobStatusOf(task)], ...seen };
  // Some have ended and some wait to start: it has started.
  const hasStarted = jobStatusOf(task) === 'started' || counting.some(isFinal);
  return { kind: hasStarted ? 'running' : 'waiting', ...seen };
}

/** The task that says most, of the newest of each worker: what still runs, else what went wrong, else the newest. */
export function decidingTask(all: readonly Task[]): Task | undefined {
  const tasks = newestOfSlots(all);
  return (
    tasks.find((task) => jobStatusOf(task) === 'started') ??
    tasks.find((task) => !isFinal(task)) ??
    tasks.find((task) => jobStatusOf(task) === 'finishedWithError') ??
    tasks.find((task) => jobStatusOf(task) === 'undefined') ??
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

/** Of a task that has ended; the others never decide when all have. */
const OUTCOMES: Readonly<Record<JobStatus, Outcome>> = {
  notstarted: 'unknown',
  started: 'unknown',
  finishedSuccessfully: 'succeeded',
  finishedWithError: 'failed',
  undefined: 'unknown',
};

function workerOf(task: Task): Worker {
  const cause = causeOf(task);
  const { ContainerStatus } = task.Status;
  // Without a container there was nothing that could have ended with a code; the engine shows 0 then.
  const hasCode = isFinal(task) && Boolean(ContainerStatus?.ContainerID);
  return {
    id: task.ID,
    exitCode: hasCode ? (ContainerStatus?.ExitCode ?? null) : null,
    ...(cause === undefined ? {} : { cause }),
    shown: shownOf(task),
  };
}

/** The engine's answer was JSON. */
const shownOf = (task: Task) => task as unknown as JsonObject;
