import { useEffect, useState } from 'preact/hooks';
import { type Job, PmanClientError } from '../../client/index.ts';
import type { AppState } from './appState.ts';
import { followJob } from './jobFeed.ts';
import { isOver } from './shown.ts';

export interface Known {
  readonly job: Job | undefined;
  /** Why it could not be asked for the last time; undefined: it could. */
  readonly error: unknown;
  /** It was there, and is no more. */
  readonly isGone: boolean;
  /** Asks again. */
  readonly again: () => void;
}

/** One job, kept up to date by the events. */
export function useJob(app: AppState, id: string | undefined): Known {
  const [known, setKnown] = useState<{ readonly asked: string; readonly job: Job }>();
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const { client } = app;
  const isLive = app.canAct;
  useEffect(() => {
    if (id === undefined || !isLive) return;
    return followJob({
      ...{ client, id, hear: (listener) => app.hear(listener) },
      onJob: (job) => {
        setKnown({ asked: id, job });
        setError(undefined);
      },
      onError: (failure) => {
        app.live.noticed(failure);
        setError(failure);
      },
    });
  }, [app, client, id, isLive, app.live.loads, turn]);
  const job = known?.asked === id ? known?.job : undefined;
  return {
    ...{ job, error },
    isGone: job !== undefined && error instanceof PmanClientError && error.status === 404,
    again: () => setTurn((n) => n + 1),
  };
}

/** Whether what a job does next can be waited for. */
export function goesOn(job: Job | undefined): boolean {
  return job !== undefined && !isOver(job.state);
}
