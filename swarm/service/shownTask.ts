import type { Outcome, ReadShown } from '../../lib/jobs/container/engine.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/wire/json.ts';
import { taskStates } from './task.ts';

/**
 * How a task has ended that a record shows: a swarm's, or a plain container in the form of one (see plain/plainTask.ts).
 * pman reads records at its start: this loads no engine's client.
 */
export const readShown: ReadShown = (shown) => {
  const status = member(shown, 'Status');
  const state = status?.State;
  if (status === undefined || typeof state !== 'string') return undefined;
  const code = member(status, 'ContainerStatus')?.ExitCode;
  const message = status.Message;
  const known = {
    state,
    code: typeof code === 'number' ? code : undefined,
    message: typeof message === 'string' ? message : undefined,
  };
  return { outcome: outcomeOf(known), exitCode: exitCodeOf(known), hasRun: hasRun(known) };
};

/** What a task says of its end. */
interface TaskEnd {
  readonly state: string;
  readonly code: number | undefined;
  readonly message: string | undefined;
}

/** How a task has ended: of one that never ran nobody knows. */
export function outcomeOf(end: TaskEnd): Outcome {
  if (end.state === 'complete') return 'succeeded';
  return end.state === 'failed' && !neverRan(end) ? 'failed' : 'unknown';
}

/**
 * The exit code of a task that has ended; null when there is none. Engines show 0 of what never ran, and of what
 * they have lost: 0 counts of a task only that has ended well.
 */
export function exitCodeOf(end: TaskEnd): number | null {
  const { state, code } = end;
  // One that somebody removes may show how its removal has ended it, or not yet.
  if (code === undefined || neverRan(end) || state === 'remove') return null;
  return code !== 0 || state === 'complete' ? code : null;
}

/** Of one that was just being started it is not known, and perhaps of one that was shut down or removed. */
function hasRun(end: TaskEnd): boolean | undefined {
  if (neverRan(end) || BEFORE_START.has(end.state)) return false;
  return AFTER_START.has(end.state) || exitCodeOf(end) !== null ? true : undefined;
}

const BEFORE_START: ReadonlySet<string> = new Set(
  taskStates.slice(0, taskStates.indexOf('starting')),
);
const AFTER_START: ReadonlySet<string> = new Set(['running', 'complete', 'failed']);

/** A program or a user that the image does not have makes a task fail while it starts. */
const neverRan = ({ state, message }: TaskEnd) => state === 'rejected' || message === 'starting';

function member(object: JsonObject, name: string): JsonObject | undefined {
  const value: JsonValue | undefined = object[name];
  return isJsonObject(value) ? value : undefined;
}
