import { useEffect, useState } from 'preact/hooks';
import { Failure } from './failure.tsx';
import type { LogViewProps } from './log/LogView.tsx';

type View = typeof import('./log/LogView.tsx').LogView;

/** The log viewer is a file of its own: the list, which comes first, does not wait for it. */
const load = () => import('./log/LogView.tsx');

/** Loads the log viewer while nothing else is to be done. */
export function loadLogSoon(): void {
  const soon = () => void load().catch(() => undefined); // it is tried again where it is needed
  if ('requestIdleCallback' in globalThis) requestIdleCallback(soon);
  else setTimeout(soon, 1000);
}

/** What a job has written. */
export function LazyLog(props: LogViewProps) {
  const [View, setView] = useState<View>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    load().then(
      ({ LogView }) => setView(() => LogView),
      () => setError(new Error('The log viewer cannot be loaded: perhaps pman was updated.')),
    );
  }, []);
  if (error !== undefined) return <Failure error={error} onAgain={() => location.reload()} />;
  return View === undefined ? <p class="quiet">…</p> : <View {...props} />;
}
