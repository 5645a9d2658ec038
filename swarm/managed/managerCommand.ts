import { PmanError } from '../../lib/errors.ts';
import type { WorkRequest } from '../../lib/jobs/container/engine.ts';
import { type Labels, ownerLabels } from '../labels.ts';

/**
 * The arguments with which a manager makes a service.
 * @param isOwn whether it is a program of ours: the original's knows no more than the original asked of it
 */
export function scheduleArgs(request: WorkRequest, isOwn: boolean): readonly string[] {
  const { name, image, cmd, shareDir } = request;
  return [
    ...['-s', name],
    ...(shareDir === undefined ? [] : ['-m', shareDir]),
    ...['-i', image, '-p', 'none'],
    ...(isOwn ? ownFlags(request) : []),
    ...['-c', cmd],
  ];
}

/** The flags of our own manager image for what the original's does not know. */
function ownFlags({ owner, options }: WorkRequest): readonly string[] {
  const { env = {}, mounts = [], user, workers, limits = {}, labels = {}, tty } = options;
  const { cpus, memoryBytes, gpus } = limits;
  const pairs = (flag: string, values: Labels) =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  return [
    ...pairs('--label', { ...labels, ...ownerLabels(owner) }),
    ...pairs('--env', env),
    ...mounts.flatMap(({ source, target, readOnly }) => [
      '--bind',
      `${source}:${target}${readOnly ? ':ro' : ''}`,
    ]),
    ...(user === undefined ? [] : ['--user', user]),
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
    ...(cpus === undefined ? [] : ['--limit', `cpus=${cpus}`]),
    ...(memoryBytes === undefined ? [] : ['--limit', `memory=${memoryBytes}`]),
    ...(gpus === undefined ? [] : ['--limit', `gpus=${gpus}`]),
    ...(tty ? [] : ['--no-tty']),
  ];
}

/** A manager that cannot reach the engine from inside its container: what it was to do can be done without it. */
export class StrandedManagerError extends PmanError {
  constructor(message: string) {
    super('internal', message);
  }
}

/**
 * What a manager that has failed means by what it has printed.
 * @param what was to be done, for the message
 */
export function managerError(what: string, exitCode: number, printed: string): PmanError {
  const said = printed.split('\n').at(-1)?.slice(0, 1000) ?? '';
  const message = `cannot ${what}: exit code ${exitCode}: ${said}`;
  if (/name conflicts|already exists|AlreadyExists/i.test(printed)) {
    return new PmanError('conflict', message);
  }
  if (/no answer from|daemon running|Connection aborted|docker\.sock/i.test(printed)) {
    return new StrandedManagerError(message);
  }
  return new PmanError('internal', message);
}
