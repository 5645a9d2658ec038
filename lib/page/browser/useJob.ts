import { useEffect, useState } from 'preact/hooks';
import type { Job } from '../../client/index.ts';
import type { AppState } from './appState.ts';
import { isOver } from './shown.ts';

export interface Known {
  readonly job: Job | undefined;
  readonly error: unknown;
  /** Asks again. */
  readonly again: () => void;
}

/** How long what has happened to a job is gathered until it is asked for, in milliseconds. */
const SOON_MS = 100;

/** One job, kept up to date by the events. */
export function useJob(app: AppState, id: string | undefined): Known {
  const [known, setKnown] = useState<{ readonly asked: string; readonly job: Job }>();
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const { client } = app;
  const isLive = app.live.contact.kind === 'live';
  useEffect(() => {
    if (id === undefined || !isLive) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let whole = '';
    const ask = async () => {
      timer = undefined;
      try {
        const job = await client.job(id, { signal: stop.signal });
        whole = job.id;
        setKnown({ asked: id, job });
        setError(undefined);
      } catch (failure) {
        if (stop.signal.aborted) return;
        app.live.noticed(failure);
        setError(failure);
      }
    };
    void ask();
    const forget = app.hear((event) => {
      if (event.id === whole && timer === undefined) timer = setTimeout(() => void ask(), SOON_MS);
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
      forget();
    };
  }, [app, client, id, isLive, turn]);
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
