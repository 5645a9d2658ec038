import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Capabilities, JobEvent, ServerFacts } from '../../client/index.ts';
import { linkId } from './appState.ts';
import { Failure } from './failure.tsx';
import { Link } from './link.tsx';
import { bytesWords, clock, dayAndClock, shortId, span } from './shown.ts';
import { useApp, useChanges } from './useApp.ts';

/** So many of the last events are shown. */
const EVENTS = 50;

/** How the server does: health, disk, what runs jobs there, and what has just happened. */
export function ServerView() {
  const app = useApp();
  useChanges(app);
  const [facts, setFacts] = useState<ServerFacts>();
  const [offers, setOffers] = useState<Capabilities['backends']>([]);
  const [events, setEvents] = useState<readonly JobEvent[]>([]);
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const { client } = app;
  const isLive = app.live.contact.kind === 'live';
  useEffect(() => {
    if (!isLive) return;
    Promise.all([client.server(), client.capabilities()]).then(
      ([server, { backends }]) => {
        setFacts(server);
        setOffers(backends);
        setError(undefined);
      },
      (failure: unknown) => {
        app.live.noticed(failure);
        setError(failure);
      },
    );
  }, [app, client, isLive, turn]);
  useEffect(() => app.hear((event) => setEvents((old) => [event, ...old].slice(0, EVENTS))), [app]);
  const refresh = () => setTurn((n) => n + 1);
  return (
    <section class="panel alone server" aria-label="Server">
      <h2>Server</h2>
      {error !== undefined && <Failure error={error} onAgain={refresh} />}
      {facts !== undefined && <Facts facts={facts} />}
      <p>
        <button type="button" onClick={refresh} disabled={!app.canAct}>
          Look again
        </button>
      </p>
      <h3>What runs jobs</h3>
      <div class="scroll">
        <table class="facts">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Runs</th>
              <th scope="col">A job may have</th>
              <th scope="col">Outputs apart</th>
              <th scope="col">Signals</th>
            </tr>
          </thead>
          <tbody>
            {offers.map(({ name, runs, takes, separateOutputs, passesSignals }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{runs.join(', ')}</td>
                <td class="wrap">{takes.join(', ')}</td>
                <td>{separateOutputs ? 'yes' : 'no'}</td>
                <td>{passesSignals ? 'yes' : 'no'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h3>Events since this view was opened</h3>
      {events.length === 0 && <p class="quiet">Nothing has happened yet.</p>}
      <ol class="events" reversed>
        {events.map(({ seq, time, type, id, jid, data }) => (
          <li key={seq}>
            <span class="mono quiet">
              {clock(time, true)} {seq}
            </span>{' '}
            {type.replace('_', ' ')}{' '}
            <Link to={{ view: 'job', id: linkId(id) }} class="mono">
              {shortId(id)}
            </Link>{' '}
            {jid} <span class="quiet">{typeof data?.state === 'string' ? data.state : ''}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Facts({
  facts: { version, startedAt, uptimeSeconds, jobs, disk, events },
}: {
  readonly facts: ServerFacts;
}) {
  const used = disk.totalBytes - disk.freeBytes;
  const percent = disk.totalBytes === 0 ? 0 : Math.round((disk.freeBytes / disk.totalBytes) * 100);
  const isLow = disk.problem !== null || percent < 5;
  return (
    <dl class="record">
      <Fact name="Health">
        <span class={`state ${disk.problem === null ? 'ok' : 'failed'}`}>
          {disk.problem === null ? '✓ well' : `✗ ${disk.problem}`}
        </span>
      </Fact>
      <Fact name="Version">pman {version}</Fact>
      <Fact name="Up">
        {span(uptimeSeconds * 1000)}, since {dayAndClock(startedAt)}
      </Fact>
      <Fact name="Jobs">
        {jobs.running} running, {jobs.waiting} waiting, {jobs.recorded} recorded
      </Fact>
      <Fact name="Disk">
        <meter
          min={0}
          max={disk.totalBytes}
          value={used}
          aria-label={`${percent} % of the disk are free`}
        />{' '}
        <span class={isLow ? 'state failed' : undefined}>
          {bytesWords(disk.freeBytes)} free of {bytesWords(disk.totalBytes)} ({percent} %)
        </span>
      </Fact>
      <Fact name="Events kept">
        {events.oldest} to {events.newest}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
