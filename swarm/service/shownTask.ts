import type { Outcome, ReadShown } from '../../lib/jobs/container/engine.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/wire/json.ts';

/**
 * How a task has ended that a record shows: a swarm's, or a plain container in the form of one (see plain/plainTask.ts).
 * pman reads records at its start: this loads no engine's client.
 */
export const readShown: ReadShown = (shown) => {
  const status = member(shown, 'Status');
  const state = status?.State;
  if (status === undefined || typeof state !== 'string') return undefined;
  const code = member(status, 'ContainerStatus')?.ExitCode;
  return { outcome: outcomeOf(state), exitCode: typeof code === 'number' ? code : null };
};

function member(object: JsonObject, name: string): JsonObject | undefined {
  const value: JsonValue | undefined = object[name];
  return isJsonObject(value) ? value : undefined;
}

function outcomeOf(state: string): Outcome {
  if (state === 'complete') return 'succeeded';
  return state === 'failed' ? 'failed' : 'unknown';
}
