import type { ContainerInspectInfo } from 'dockerode';
import { PmanError } from '../../lib/errors.ts';
import { KILLED_EXIT, memoryCause, perhapsMemoryCause } from '../../lib/jobs/causeWords.ts';
import type { Look } from '../../lib/jobs/container/engine.ts';
import { memoryText } from '../../lib/wire/memoryText.ts';
import { lookOfTasks, removedTasks } from '../service/jobState.ts';
import { newestFirst, parseTasks, type Task } from '../service/task.ts';

/**
 * How a job stands whose workers are these containers; undefined without any.
 * @param workers how many were started: those that are not there were removed
 */
export function lookOfContainers(
  containers: readonly ContainerInspectInfo[],
  workers?: number,
): Look | undefined {
  if (containers.length === 0) return undefined;
  const tasks = newestFirst(containers.map(taskOf));
  const cause = causeOfMemory(containers);
  return lookOfTasks([...removedTasks(tasks, workers), ...tasks], cause);
}

/** Podman 4 and Docker do not always tell that the kernel ended a container for its memory. */
function causeOfMemory(containers: readonly ContainerInspectInfo[]): string | undefined {
  const failed = containers.filter(({ State }) => !State.Running && State.ExitCode !== 0);
  const known = failed.find(({ State }) => State.OOMKilled);
  if (known !== undefined) return memoryCause(known.State.ExitCode, memoryLimitOf(known));
  const killed = failed.find(({ State }) => State.ExitCode === KILLED_EXIT);
  const limit = killed && memoryLimitOf(killed);
  return limit === undefined ? undefined : perhapsMemoryCause(limit);
}

function memoryLimitOf({ HostConfig }: ContainerInspectInfo): string | undefined {
  return HostConfig.Memory ? memoryText(HostConfig.Memory) : undefined;
}

/** A container as the task that a swarm would show. */
export function taskOf({ Id, Name, Created, Config, State }: ContainerInspectInfo): Task {
  const [task] = parseTasks([
    {
      ID: Id,
      Name: Name.replace(/^\//, ''),
      CreatedAt: Created,
      Status: {
        Timestamp: State.FinishedAt.startsWith('0001') ? State.StartedAt : State.FinishedAt,
        ...wordsOf(State),
        ContainerStatus: { ContainerID: Id, PID: State.Pid, ExitCode: State.ExitCode },
      },
      Spec: { ContainerSpec: { Image: Config.Image, Command: Config.Entrypoint, TTY: Config.Tty } },
    },
  ]);
  if (task === undefined) throw new PmanError('internal', `container ${Id} cannot be shown`);
  return task;
}

/** Whether a container was made, and nobody has tried to start it. */
export function isUnstarted(container: ContainerInspectInfo): boolean {
  return taskOf(container).Status.State === 'starting';
}

/** Whether the command of a container runs, or has run. */
export function hasRun({ State }: ContainerInspectInfo): boolean {
  return State.Running || !State.StartedAt.startsWith('0001');
}

function wordsOf({ Status, ExitCode, Error: said }: ContainerInspectInfo['State']) {
  switch (Status) {
    case 'created':
    case 'initialized':
      // Its start was refused: no such program, no such folder.
      return said
        ? { State: 'rejected', Message: 'rejected', Err: said }
        : { State: 'starting', Message: Status };
    case 'running':
    case 'paused':
    case 'restarting':
    case 'stopping':
      return { State: 'running', Message: Status };
    case 'removing':
      return { State: 'remove', Message: Status };
    default:
      if (ExitCode === 0 && !said) return { State: 'complete', Message: 'finished' };
      return { State: 'failed', Message: 'finished', Err: said || `non-zero exit (${ExitCode})` };
  }
}
