import { socketPath } from '../../lib/host/socketPath.ts';
import type { KillRequest } from '../job/killRequest.ts';
import type { Place } from './place.ts';
import type { RunnerEvent } from './runnerEvent.ts';

/**
 * What goes between a server and its runner process: one JSON object a line, over a Unix socket. It says which spool folder to
 * look at; what is to be run and what became of it is written there.
 */
export type ToRunner =
  /** The first line of a server: jobs from now on start where it works, and with its environment. */
  | { readonly do: 'serve'; readonly place: Place }
  | { readonly do: 'run'; readonly folder: string }
  | { readonly do: 'kill'; readonly folder: string; readonly request: KillRequest }
  | { readonly do: 'pass'; readonly folder: string; readonly signal: NodeJS.Signals };

export type FromRunner =
  /** The first line after a connection: from here on everything is told. */
  { readonly kind: 'ready' } | RunnerEvent;

/** Where the runner of a spool listens. */
export function runnerSocket(spool: string): string {
  return socketPath(spool, 'runner');
}

/** Where the copier of a spool's outputs listens. */
export function copierSocket(spool: string): string {
  return socketPath(spool, 'outputs');
}

/** Calls back with each JSON line of a stream of text chunks. */
export function lineReader<T>(onMessage: (message: T) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onMessage(JSON.parse(line) as T);
  };
}
