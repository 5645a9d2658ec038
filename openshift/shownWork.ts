import type { ReadShown } from '../lib/jobs/container/engine.ts';
import { isJsonObject, type JsonObject } from '../lib/wire/json.ts';
import type { Job, Pod } from './objects.ts';

/** How a record shows a Job: the original's `Status` (protocol h), and the pod that decides. */

interface How {
  readonly word: string;
  readonly exitCode: number | null;
}

export function shownWork(job: Job, pod: Pod | undefined, { word, exitCode }: How): JsonObject {
  const { active, failed, succeeded, startTime, completionTime, conditions } = job.status;
  const failure = conditions.find(({ type, status }) => type === 'Failed' && status === 'True');
  return {
    Status: {
      Message: word,
      State: STATES[word] ?? 'inactive',
      Reason: failure?.reason ?? null,
      Active: active ?? null,
      Failed: failed ?? null,
      Succeeded: succeeded ?? null,
      StartTime: startTime ?? null,
      CompletionTime: completionTime ?? null,
    },
    Job: job.metadata.name,
    Pod: pod?.metadata.name ?? null,
    Node: pod?.spec.nodeName ?? null,
    Image: pod?.spec.containers[0]?.image ?? null,
    ExitCode: exitCode,
  };
}

const STATES: Readonly<Record<string, string>> = {
  started: 'running',
  inactive: 'inactive',
  finished: 'complete',
  finishedWithError: 'failed',
};

/** How a Job has ended that a record shows. pman reads records at its start: this loads no client. */
export const readShown: ReadShown = (shown) => {
  const { Status: status, ExitCode: code } = shown;
  if (!isJsonObject(status) || typeof status.Message !== 'string' || !('Job' in shown)) {
    return undefined;
  }
  const outcome = status.Message === 'finished' ? 'succeeded' : 'failed';
  const exitCode = typeof code === 'number' ? code : null;
  return { outcome, exitCode, hasRun: exitCode !== null || HAS_RUN[String(status.State)] };
};

/** A Job that failed without an exit code may never have run: its cause says so. */
const HAS_RUN: Readonly<Record<string, boolean>> = {
  running: true,
  inactive: false,
  complete: true,
};
