import { useEffect, useMemo, useState } from 'preact/hooks';
import { useDeeds } from './deeds.ts';
import { Failure } from './failure.tsx';
import { FilterBar } from './filterBar.tsx';
import { JobTable } from './jobTable.tsx';
import { Link } from './link.tsx';
import { NO_FILTER } from './pagePlace.ts';
import type { Named } from './rowList.ts';
import { inWords } from './searchWords.ts';
import { selectedIn } from './selectedJobs.ts';
import { GROUPS, groupNamed } from './shown.ts';
import { useApp, useChanges } from './useApp.ts';

/** After this long a bar shows that something is loaded, in milliseconds. */
const SLOW_MS = 150;

/** The list of jobs with its filters, and what is to be said when there is nothing in it. */
export function ListView() {
  const app = useApp();
  useChanges(app);
  const { rows } = app;
  const { filter } = app.place;
  const states = filter.states.filter((name) => groupNamed(name) !== undefined);
  const unknown = filter.states.filter((name) => groupNamed(name) === undefined);
  const isEmpty = rows.rows.length === 0 && !rows.isFirst && !rows.isLoading;
  const isFiltered = filter.q.trim() !== '' || filter.states.length > 0;
  return (
    <div class="jobs">
      <div class="listHead">
        <FilterBar />
        <Shown />
      </div>
      <LoadingBar isLoading={rows.isLoading} />
      {app.selected.size > 0 && <Selection />}
      {rows.error !== undefined && app.live.contact.kind === 'live' && (
        <Failure error={rows.error} onAgain={() => void rows.refresh().catch(() => undefined)} />
      )}
      {unknown.length > 0 && (
        <p class="empty" role="alert">
          There is no state “{unknown.join(', ')}”. There are{' '}
          {GROUPS.map(({ name }) => name).join(', ')}.{' '}
          <Link to={{ filter: { ...filter, states } }} class="button">
            Clear
          </Link>
        </p>
      )}
      {isEmpty && isFiltered && (
        <p class="empty">
          No {inWords(filter)}.{' '}
          <Link to={{ filter: NO_FILTER }} class="button">
            Clear
          </Link>
        </p>
      )}
      {isEmpty && !isFiltered && <NoJobs />}
      <JobTable />
    </div>
  );
}

/** How many jobs are shown, and how many have come meanwhile. */
function Shown() {
  const app = useApp();
  const { rows } = app;
  return (
    <p class="shown quiet">
      {rows.news > 0 && (
        <button
          type="button"
          class="news"
          disabled={!app.canAct}
          title={app.off}
          onClick={() => {
            app.scroll.go(0);
            rows.refresh().catch(() => undefined);
          }}
        >
          ▲ {rows.news} new {rows.news === 1 ? 'job' : 'jobs'}
        </button>
      )}{' '}
      {!rows.isFirst && `${rows.total} ${rows.total === 1 ? 'job' : 'jobs'}`}
    </p>
  );
}

function LoadingBar({ isLoading }: { readonly isLoading: boolean }) {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    if (!isLoading) return setSlow(false);
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, [isLoading]);
  return <div class="loading" data-on={isSlow} aria-hidden="true" />;
}

function NoJobs() {
  const deeds = useDeeds();
  const { host, origin } = location;
  const run = `pman run --server ${origin} 'echo hello'`;
  const curl = `curl ${origin}/api/v2/jobs -H 'Content-Type: application/json' -d '{"command": "echo hello"}'`;
  return (
    <div class="empty">
      <h2>No jobs yet on {host}</h2>
      {[run, curl].map((line) => (
        <p key={line}>
          <code class="wrap">{line}</code>{' '}
          <button type="button" onClick={() => void deeds.copy(line, 'command')}>
            Copy
          </button>
        </p>
      ))}
      <p>
        <Link to={{ view: 'new' }}>Or fill in a form</Link>
      </p>
    </div>
  );
}

/** What can be done with all jobs that are selected, and with no others. */
function Selection() {
  const app = useApp();
  const deeds = useDeeds();
  const { total, version } = app.rows;
  // Of 100,000 that are selected not each event that concerns none of them looks at all.
  const { live, over } = useMemo(() => selectedIn(app), [app, app.selected, version]);
  const picked = useMemo(() => [...live, ...over], [live, over]);
  const can = app.canAct;
  const button = (verb: string, jobs: readonly Named[], act: (jobs: readonly Named[]) => void) => (
    <button
      type="button"
      disabled={!can || jobs.length === 0}
      title={app.off}
      onClick={() => act(jobs)}
    >
      {verb} {jobs.length}
    </button>
  );
  return (
    <p class="selection">
      selected {picked.length} of {total} that match: {button('Rerun', picked, deeds.rerun)}{' '}
      {button('Kill', live, deeds.kill)} {button('Delete', over, deeds.remove)}{' '}
      <button type="button" disabled={!can} title={app.off} onClick={() => void app.selectAll()}>
        Select all {total}
      </button>{' '}
      <button type="button" onClick={() => app.select([])}>
        None
      </button>
    </p>
  );
}
