import type { ContainerState, ContainerStatus } from '../../lib/jobs/container/engine.ts';
import type { JsonObject } from '../../lib/wire/json.ts';
import { causeOf, isFinal, jobStatusOf, type Task } from './task.ts';

/**
 * How a service stands as a whole, from its tasks, the newest first: it has ended when every worker's newest task has, and
 * failed when any of them did.
 */
export function stateOfTasks(
  tasks: readonly Task[],
  cause: string | undefined = causeOfAll(tasks),
): ContainerState | undefined {
  const counting = newestOfSlots(tasks);
  const task = deciding(counting);
  if (task === undefined) return undefined;
  return {
    status: statusOfAll(counting),
    isFinal: counting.every(isFinal),
    // The engine's answer was JSON.
    task: task as unknown as JsonObject,
    tasks: [...counting].reverse() as unknown as readonly JsonObject[],
    ...(cause === undefined ? {} : { cause }),
  };
}

function newestOfSlots(tasks: readonly Task[]): readonly Task[] {
  const slots = new Set<string>();
  return tasks.filter(({ Slot, ID }) => {
    const slot = Slot === undefined ? ID : String(Slot);
    if (slots.has(slot)) return false;
    slots.add(slot);
    return true;
  });
}

/** The one that says most: what still runs, else what went wrong, else the newest. */
export function deciding(tasks: readonly Task[]): Task | undefined {
  return (
    tasks.find((task) => jobStatusOf(task) === 'started') ??
    tasks.find((task) => !isFinal(task)) ??
    tasks.find((task) => jobStatusOf(task) === 'finishedWithError') ??
    tasks.find((task) => jobStatusOf(task) === 'undefined') ??
    tasks[0]
  );
}

function statusOfAll(tasks: readonly Task[]): ContainerStatus {
  const task = deciding(tasks);
  if (task === undefined) return 'undefined';
  // Some have ended and some wait to start: it has started.
  if (!isFinal(task) && tasks.some(isFinal)) return 'started';
  return jobStatusOf(task);
}

function causeOfAll(tasks: readonly Task[]): string | undefined {
  const task = deciding(newestOfSlots(tasks));
  return task && causeOf(task);
}
