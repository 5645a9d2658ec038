import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { Task } from '../service/task.ts';
import { openLogs } from './logs.ts';
import { logText, withoutLogError } from './logText.ts';

const containerSchema = z.looseObject({
  Config: z.looseObject({ Tty: z.boolean().optional() }),
  State: z.looseObject({ OOMKilled: z.boolean().optional() }).optional(),
});
type Container = z.infer<typeof containerSchema>;
const taskTtySchema = z.looseObject({
  Spec: z
    .looseObject({ ContainerSpec: z.looseObject({ TTY: z.boolean().optional() }).optional() })
    .optional(),
});

/**
 * What one task has written so far. Asks the engine at hand for the container first: that is quickest and whole.
 * A container of another node is asked for through the swarm. A task that never got a container wrote nothing.
 */
export async function readLogs(docker: Docker, task: Task): Promise<string> {
  const id = task.Status.ContainerStatus?.ContainerID;
  if (!id) return '';
  const container = await inspect(docker, id);
  if (container) return fetchText(docker, `/containers/${id}/logs`, container.Config.Tty ?? false);
  const tty = taskTtySchema.parse(task).Spec?.ContainerSpec?.TTY ?? false;
  return withoutLogError(await fetchText(docker, `/tasks/${task.ID}/logs`, tty));
}

/** Whether the kernel killed a task's container for want of memory; undefined when the container is elsewhere. */
export async function ranOutOfMemory(docker: Docker, task: Task): Promise<boolean | undefined> {
  const id = task.Status.ContainerStatus?.ContainerID;
  const container = id ? await inspect(docker, id) : undefined;
  return container && (container.State?.OOMKilled ?? false);
}

/** The container, or undefined when this engine has none of that ID. */
async function inspect(docker: Docker, id: string): Promise<Container | undefined> {
  try {
    return containerSchema.parse(await docker.getContainer(id).inspect());
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function fetchText(docker: Docker, path: string, tty: boolean): Promise<string> {
  return logText(await buffer(await openLogs(docker, path)), tty);
}

function isNotFound(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404
  );
}
