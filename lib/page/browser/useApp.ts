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

/** The time now, anew each second as long as something on the page goes on; no timer runs else. */
export function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isRunning) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}
