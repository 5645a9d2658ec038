import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure } from './failure.tsx';
import type { HelpProps } from './help.tsx';
import type { JobFormProps } from './jobForm.tsx';
import type { LogViewProps } from './log/LogView.tsx';

/** A file of its own: the list, which comes first, does not wait for it. */
const load = () => import('./laterParts.ts');

/** What a job has written. */
export const LazyLog = lazy<LogViewProps>(({ LogView }) => LogView);
/** The form for a new job, or for the same one again. */
export const LazyForm = lazy<JobFormProps>(({ JobForm }) => JobForm);

/** How the server does. */
export const LazyServer = lazy<object>(({ ServerView }) => ServerView);
/** The keys. */
export const LazyHelp = lazy<HelpProps>(({ Help }) => Help);

/** Loads these parts of the page while nothing else is to be done. */
export function loadPartsSoon(): void {
  const soon = () => void load().catch(() => undefined); // it is tried again where they are needed
  if ('requestIdleCallback' in globalThis) requestIdleCallback(soon);
  else setTimeout(soon, 1000);
}

type Parts = Awaited<ReturnType<typeof load>>;

/** A view that is loaded when it is shown first. */
function lazy<Props extends object>(viewIn: (parts: Parts) => ComponentType<Props>) {
  return function Lazy(props: Props) {
    const [View, setView] = useState<ComponentType<Props>>();
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      load().then(
        (parts) => setView(() => viewIn(parts)),
        () => setError(new Error('This part cannot be loaded: perhaps pman was updated.')),
      );
    }, []);
    if (error !== undefined) return <Failure error={error} onAgain={() => location.reload()} />;
    return View === undefined ? <p class="quiet">…</p> : <View {...props} />;
  };
}
