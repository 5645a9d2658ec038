import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { Banner, TokenForm } from './banner.tsx';
import { Confirm } from './confirm.tsx';
import { JobPanel } from './jobPanel.tsx';
import { useTabTitle } from './jobWatch.ts';
import { listenToKeys } from './keys.ts';
import { LazyForm, LazyHelp, LazyServer } from './lazyParts.tsx';
import { ListView } from './listView.tsx';
import { TopBar } from './topBar.tsx';
import { useApp, useChanges } from './useApp.ts';

/** The whole page. */
export function App() {
  const app = useApp();
  useChanges(app);
  const [isHelp, setHelp] = useState(false);
  // Before the browser has drawn, as all that hears keys: what is pressed at once is not lost.
  useLayoutEffect(() => listenToKeys({ app, onHelp: () => setHelp(true) }), [app]);
  const { contact } = app.live;
  const { view, id } = app.place;
  useTabTitle(app.shownJob, {
    ...{ gone: app.goneJob, isAway: contact.kind === 'away' },
    running: app.rows.counts.running ?? 0,
  });
  const hasList = view === 'jobs' || view === 'job';
  return (
    <>
      <TopBar onHelp={() => setHelp(true)} />
      <Banner />
      <main class={`view ${view}`}>
        {contact.kind === 'token' ? (
          <TokenForm wasRefused={contact.wasRefused} />
        ) : (
          <>
            {hasList && <ListView />}
            {view === 'job' && id !== undefined && <JobPanel key={id} id={id} />}
            {view === 'new' && <LazyForm />}
            {view === 'server' && <LazyServer />}
          </>
        )}
      </main>
      <NoticeBar />
      {isHelp && <LazyHelp onClose={() => setHelp(false)} />}
      {app.question !== undefined && (
        <Confirm question={app.question} onClose={() => app.ask(undefined)} />
      )}
    </>
  );
}

/** How long what was done is told, in milliseconds; what failed stays until it is closed. */
const NOTICE_MS = 5000;

function NoticeBar() {
  const app = useApp();
  useChanges(app);
  const { notice } = app;
  useEffect(() => {
    if (notice?.kind !== 'done') return;
    const timer = setTimeout(() => app.say(undefined), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [app, notice]);
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice !== undefined && (
        <p class={`notice ${notice.kind}`}>
          {notice.text} {notice.hint !== undefined && <span class="quiet">{notice.hint}</span>}{' '}
          <button type="button" class="icon" aria-label="Close" onClick={() => app.say(undefined)}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
