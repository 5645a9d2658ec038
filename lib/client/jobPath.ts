import type { JobName, OutputName } from './callOptions.ts';
import { PmanClientError } from './clientError.ts';

/**
 * Where a job is, below `/api/v2`.
 * @throws PmanClientError not_found for an id that would name something else: the list of all jobs, for one
 */
export function jobPath(job: JobName): string {
  const id: unknown = typeof job === 'string' ? job : Object(job).id;
  if (typeof id === 'string' && !leadsAway(id)) return `/jobs/${encodeURIComponent(id)}`;
  throw new PmanClientError('not_found', `${JSON.stringify(id)} is no id of a job`);
}

export function outputPath(job: JobName, stream: OutputName): string {
  return `${jobPath(job)}/${stream}`;
}

/**
 * Where a file is that a job has left.
 * @throws PmanClientError not_found as `jobPath` does
 */
export function filePath(job: JobName, path: string): string {
  const names = path.split('/');
  if (names.some(leadsAway)) {
    throw new PmanClientError('not_found', `${JSON.stringify(path)} is no path of a file`);
  }
  return `${jobPath(job)}/files/${names.map(encodeURIComponent).join('/')}`;
}

/** What a URL has as no name of its own. */
const leadsAway = (name: string) => /^\.{0,2}$/.test(name);
