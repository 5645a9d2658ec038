import { useEffect, useState } from 'preact/hooks';
import type { Job } from '../../client/index.ts';
import type { AppState } from './appState.ts';
import { followJob } from './jobFeed.ts';
import { isOver } from './shown.ts';

export interface Known {
  readonly job: Job | undefined;
  readonly error: unknown;
  /** Asks again. */
  readonly again: () => void;
}

/** One job, kept up to date by the events. */
export function useJob(app: AppState, id: string | undefined): Known {
  const [known, setKnown] = useState<{ readonly asked: string; readonly job: Job }>();
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const { client } = app;
  const isLive = app.live.contact.kind === 'live';
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
  return {
    job: known?.asked === id ? known?.job : undefined,
    error,
    again: () => setTurn((n) => n + 1),
  };
}

/** Whether what a job does next can be waited for. */
export function goesOn(job: Job | undefined): boolean {
  return job !== undefined && !isOver(job.state);
}
