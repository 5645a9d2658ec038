import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';
import type { AppState } from './appState.ts';

export const AppContext = createContext<AppState | undefined>(undefined);

/** What all parts of the page share. @throws Error outside of the page */
export function useApp(): AppState {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('there is no page around this');
  return app;
}

/** Draws again when anything of the page has changed. */
export function useChanges(app: AppState): void {
  const [, draw] = useReducer((n: number, _: undefined) => n + 1, 0);
  // An effect comes after the browser has drawn: what has changed until then would not be shown before the next change.
  useLayoutEffect(() => app.subscribe(() => draw(undefined)), [app]);
}

/**
 * The time now, anew each second as long as something on the page goes on; no timer runs else.
 * @param clock the server's for the times of jobs
 */
export function useNow(isRunning: boolean, clock: () => number): number {
  const [now, setNow] = useState(clock);
  // Before the browser has drawn: the time is old when nothing has gone on for long.
  useLayoutEffect(() => {
    if (!isRunning) return;
    setNow(clock());
    const timer = setInterval(() => setNow(clock()), 1000);
    return () => clearInterval(timer);
  }, [isRunning, clock]);
  return now;
}

/**
 * Draws again when somebody comes back to the page: ages that stood there meanwhile are old, and no timer runs where nothing
 * goes on.
 */
export function useRedrawWhenSeen(): void {
  const [, draw] = useReducer((n: number, _: undefined) => n + 1, 0);
  useEffect(() => {
    const seen = () => {
      if (!document.hidden) draw(undefined);
    };
    document.addEventListener('visibilitychange', seen);
    window.addEventListener('focus', seen);
    document.addEventListener('pointerenter', seen);
    return () => {
      document.removeEventListener('visibilitychange', seen);
      window.removeEventListener('focus', seen);
      document.removeEventListener('pointerenter', seen);
    };
  }, []);
}
