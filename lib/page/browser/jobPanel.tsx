import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { useDeeds } from './deeds.ts';
import { Failure } from './failure.tsx';
import { StateMark } from './glyph.tsx';
import { useWatch } from './jobWatch.ts';
import { LazyForm, LazyLog } from './lazyParts.tsx';
import { Link } from './link.tsx';
import { TABS, type Tab } from './pagePlace.ts';
import { usePanelFocus } from './panelFocus.ts';
import { PartsView } from './partsView.tsx';
import { RecordView } from './recordView.tsx';
import { isOver, middleCut, shortId, tookWords, whyWords } from './shown.ts';
import { useApp, useChanges, useNow } from './useApp.ts';
import { goesOn, useJob } from './useJob.ts';

/** One job: what it is, how it stands, why, and what can be done with it. */
export function JobPanel({ id }: { readonly id: string }) {
  const app = useApp();
  useChanges(app);
  const { job, error, isGone, again } = useJob(app, id);
  const now = useNow(goesOn(job) && !isGone, app.clock.now);
  const [isRerun, setRerun] = useState(false);
  const deeds = useDeeds();
  const heading = useRef<HTMLHeadingElement>(null);
  useWatch(isGone ? undefined : job);
  usePanelFocus(app, id, heading, job !== undefined);
  // Before the browser has drawn: a key that is pressed at once means this job.
  useLayoutEffect(() => app.show(job, isGone), [app, job, isGone]);
  useLayoutEffect(() => () => app.show(undefined), [app]);
  // It stays in view in the list that is smaller now.
  useLayoutEffect(() => {
    if (job !== undefined)
      document.querySelector('.list tr.open')?.scrollIntoView({ block: 'nearest' });
  }, [job?.id]);
  useLayoutEffect(() => {
    const open = () => !isGone && setRerun(true);
    document.addEventListener('pman-rerun', open);
    return () => document.removeEventListener('pman-rerun', open);
  }, [isGone]);
  // The question for a token had taken it away.
  useLayoutEffect(() => {
    if (job !== undefined && app.drafts.wasTaken(job.id)) setRerun(true);
  }, [app, job?.id]);
  if (job === undefined) {
    return (
      <section class="panel" aria-label="Job">
        {error === undefined ? <p class="quiet">…</p> : <Failure error={error} onAgain={again} />}
        <p>
          <Link to={{ view: 'jobs', id: undefined }} class="button">
            All jobs
          </Link>
        </p>
      </section>
    );
  }
  const why = whyWords(job);
  const name = terminalText(job.jid ?? '');
  const { canAct: can, off } = app;
  return (
    <section class="panel" aria-label={`Job ${shortId(job.id)}`} data-id={job.id}>
      <div class="panelHead">
        <Link to={{ view: 'jobs', id: undefined }} class="back" aria-label="Back to the list">
          ←
        </Link>
        <h2 ref={heading} tabIndex={-1} title={name}>
          <span class="mono">{shortId(job.id)}</span> <bdi>{middleCut(name, 64)}</bdi>
        </h2>
        <span role="status" aria-live="off">
          {isGone ? (
            <span class="state gone">removed</span>
          ) : (
            <>
              <StateMark job={job} /> <span class="quiet">{tookWords(job, now)}</span>
            </>
          )}
        </span>
        <span class="deeds">
          {!isGone && !isOver(job.state) && (
            <button
              type="button"
              disabled={!can}
              title={off ?? 'K'}
              onClick={() => deeds.kill([job])}
            >
              Kill
            </button>
          )}
          {!isGone && (
            <button type="button" disabled={!can} title={off ?? 'R'} onClick={() => setRerun(true)}>
              Rerun
            </button>
          )}
          {!isGone && isOver(job.state) && (
            <button type="button" disabled={!can} title={off} onClick={() => deeds.remove([job])}>
              Delete
            </button>
          )}
          <button type="button" onClick={() => void deeds.copy(job.command, 'command')}>
            Copy command
          </button>
        </span>
        <Tabs job={job} />
      </div>
      {isGone && <p role="alert">This job was removed. What you see is from before.</p>}
      {!isGone && error !== undefined && can && <Failure error={error} onAgain={again} />}
      {why !== undefined && (
        <p class={`why ${isOver(job.state) ? 'bad' : ''}`}>
          <code>{job.reason?.code}</code> {terminalText(why)}
        </p>
      )}
      <div id="tabpanel" class="tabpanel" role="tabpanel" aria-labelledby={`tab-${app.place.tab}`}>
        <TabView job={job} tab={app.place.tab} now={now} />
      </div>
      {isRerun && <LazyForm former={job} onClose={() => setRerun(false)} />}
    </section>
  );
}

function TabView({
  job,
  tab,
  now,
}: {
  readonly job: Job;
  readonly tab: Tab;
  readonly now: number;
}) {
  const app = useApp();
  const deeds = useDeeds();
  switch (tab) {
    case 'log':
      return (
        <LazyLog
          key={job.id}
          client={app.live.patientClient}
          job={job}
          line={app.place.line}
          off={app.off}
          onLineChange={(line) => app.go({ line }, 'replace')}
          onCopy={(text, what) => void deeds.copy(text, what)}
        />
      );
    case 'parts':
      return <PartsView job={job} now={now} />;
    case 'record':
      return <RecordView job={job} />;
  }
}

const TAB_NAMES: Readonly<Record<Tab, string>> = { log: 'Log', parts: 'Parts', record: 'Record' };

function Tabs({ job }: { readonly job: Job }) {
  const app = useApp();
  const { tab } = app.place;
  const go = (to: Tab) => app.go({ tab: to, line: undefined });
  return (
    <div role="tablist" aria-label={`Views of ${shortId(job.id)}`} class="tabs">
      {TABS.map((name, i) => (
        <button
          type="button"
          role="tab"
          key={name}
          id={`tab-${name}`}
          aria-selected={tab === name}
          aria-controls="tabpanel"
          tabIndex={tab === name ? 0 : -1}
          onClick={() => go(name)}
          onKeyDown={({ key, currentTarget }) => {
            const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
            if (step === 0) return;
            const at = (i + step + TABS.length) % TABS.length;
            go(TABS[at] ?? 'log');
            const next = currentTarget.parentElement?.children[at];
            if (next instanceof HTMLElement) next.focus();
          }}
        >
          {TAB_NAMES[name]}
        </button>
      ))}
    </div>
  );
}
