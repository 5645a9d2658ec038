import { z } from 'zod';
import { type FollowOptions, unreadMark, type Worker } from '../../lib/jobs/container/engine.ts';
import type { JsonObject } from '../../lib/wire/json.ts';
import { type EngineClient, FOR_EVER } from '../client/engineClient.ts';
import { cappedLogs, followLogs } from '../client/logs.ts';
import { withoutLogError } from '../client/logText.ts';
import { readShown } from './shownTask.ts';
import { hasTerminal, isFinal, parseTasks, type Task } from './task.ts';

const containerSchema = z.looseObject({
  Config: z.looseObject({ Tty: z.boolean().optional() }),
  State: z.looseObject({ OOMKilled: z.boolean().optional() }).optional(),
});
type Container = z.infer<typeof containerSchema>;

/** The tasks that workers show. */
export function tasksOf(workers: readonly Worker[]): readonly Task[] {
  return parseTasks(workers.map(({ shown }) => shown));
}

/**
 * What tasks have written so far, one after the other, `limitBytes` at most of each. Asks the engine at hand for the container
 * first: that is quickest and whole. A container of another node is asked for through the swarm. A task that never got a
 * container wrote nothing.
 * @param doing for messages; 'read the logs of container …' unless given
 */
export async function readOutput(
  client: EngineClient,
  tasks: readonly Task[],
  limitBytes: number,
  doing?: string,
): Promise<string> {
  const texts: string[] = [];
  for (const task of tasks) texts.push(await outputOf(client, task, limitBytes, doing));
  return texts.join('');
}

async function outputOf(
  client: EngineClient,
  task: Task,
  limitBytes: number,
  said: string | undefined,
): Promise<string> {
  const id = containerIdOf(task);
  if (id === undefined) return hasBeenRemoved(task) ? goneMark(task) : '';
  const doing = said ?? `read the logs of container ${id}`;
  const read = (path: string, tty: boolean) => cappedLogs(client.docker, path, { tty, limitBytes });
  const tty = hasTerminal(task);
  const own = await client.askIfThere(doing, () => read(`/containers/${id}/logs`, tty));
  // Of a container that is being removed engines give nothing, with no error.
  if (own || (own !== undefined && !endIsUnseen(task))) return own;
  const text = await client.askIfThere(doing, () => read(`/tasks/${task.ID}/logs`, tty));
  return text || !endIsUnseen(task) ? withoutLogError(text ?? '') : goneMark(task);
}

/** Whether a task has run, and nobody knows how it ended: its container is gone, and what it wrote with it. */
function endIsUnseen(task: Task): boolean {
  if (!isFinal(task)) return false;
  const end = readShown(task as unknown as JsonObject); // the engine's answer was JSON
  return end?.exitCode === null && end.hasRun !== false;
}

const hasBeenRemoved = ({ Status }: Task) => Status.State === 'remove';

const goneMark = ({ Status: { Err } }: Task) => unreadMark(Err || 'its container is gone');

/** Hands on what a task has written and writes, until it ends. Nothing when its container is not at hand. */
export async function followOutput(
  client: EngineClient,
  task: Task | undefined,
  options: FollowOptions,
): Promise<void> {
  const id = task && containerIdOf(task);
  if (id === undefined) return;
  const doing = `follow the logs of container ${id}`;
  const container = await containerOf(client, id, doing);
  if (container === undefined) return;
  options.onOpen();
  let from = options.from;
  const write = async (bytes: Buffer) => {
    from += bytes.length;
    await options.write(bytes);
  };
  const tty = container.Config.Tty ?? false;
  // Engines may end the stream of a container that has just ended before its last line: it is read once more.
  for (const follow of [true, false]) {
    await client.askIfThere(
      doing,
      (over) => {
        const signal = AbortSignal.any([options.signal, over]);
        const path = `/containers/${id}/logs`;
        return followLogs(client.docker, path, { from, signal, write, tty, follow });
      },
      FOR_EVER,
    );
  }
}

/** Whether the engine tells that the kernel killed a task's container for want of memory. */
export async function ranOutOfMemory(client: EngineClient, task: Task): Promise<boolean> {
  const id = containerIdOf(task);
  if (id === undefined) return false;
  const container = await containerOf(client, id, `look at task ${task.ID}`);
  return container?.State?.OOMKilled ?? false;
}

/** Undefined for a task that never got a container. */
export function containerIdOf(task: Task): string | undefined {
  return task.Status.ContainerStatus?.ContainerID || undefined;
}

/** The container, or undefined when this engine has none of that ID. */
async function containerOf(
  client: EngineClient,
  id: string,
  doing: string,
): Promise<Container | undefined> {
  const found = await client.askIfThere(doing, () => client.docker.getContainer(id).inspect());
  return found && containerSchema.parse(found);
}
