import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { Capabilities, ServerFacts } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { EventTail } from './eventTail.ts';
import { Fact } from './fact.tsx';
import { Failure } from './failure.tsx';
import { Link } from './link.tsx';
import { linkId } from './pagePlace.ts';
import { ScrollRegion } from './scrollRegion.tsx';
import { bytesWords, clock, dayAndClock, shortId, span } from './shown.ts';
import { TableHead } from './tableHead.tsx';
import { useApp, useChanges } from './useApp.ts';

/** How the server does: health, disk, limits, what runs jobs there, and what has happened last. */
export function ServerView() {
  const app = useApp();
  useChanges(app);
  const [facts, setFacts] = useState<ServerFacts>();
  const [offers, setOffers] = useState<Capabilities['backends']>([]);
  const [tail] = useState(() => new EventTail());
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const { client } = app;
  const isLive = app.canAct;
  useEffect(() => {
    if (!isLive) return;
    const stop = new AbortController();
    const { signal } = stop;
    Promise.all([client.server({ signal }), client.capabilities({ signal })]).then(
      ([server, { backends }]) => {
        setFacts(server);
        setOffers(backends);
        setError(undefined);
      },
      (failure: unknown) => {
        if (signal.aborted) return;
        app.live.noticed(failure);
        setError(failure);
      },
    );
    return () => stop.abort();
  }, [app, client, isLive, turn]);
  // Before anything else of the view: what happens while the older ones are on their way is heard.
  useLayoutEffect(
    () =>
      app.hear((event) => {
        tail.add([event]);
        app.changed();
      }),
    [app, tail],
  );
  const kept = facts?.events;
  useEffect(() => {
    if (kept === undefined) return;
    const stop = new AbortController();
    client.eventPage({ after: tail.after(kept) }, { signal: stop.signal }).then(
      ({ events }) => {
        tail.add(events);
        app.changed();
      },
      // What happens from now on is told all the same.
      () => undefined,
    );
    return () => stop.abort();
  }, [app, client, kept, tail]);
  const refresh = () => setTurn((n) => n + 1);
  return (
    <section class="panel alone server" aria-label="Server">
      <h2>Server</h2>
      {error !== undefined && <Failure error={error} onAgain={refresh} />}
      {facts !== undefined && <Facts facts={facts} />}
      <p>
        <button type="button" onClick={refresh} disabled={!app.canAct} title={app.off}>
          Look again
        </button>
      </p>
      <h3>What runs jobs</h3>
      <ScrollRegion name="What runs jobs">
        <table class="facts">
          <TableHead names={['Name', 'Runs', 'A job may have', 'Outputs apart', 'Signals']} />
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
      </ScrollRegion>
      <h3>Events</h3>
      {tail.events.length === 0 && <p class="quiet">Nothing has happened yet.</p>}
      <ol class="events" reversed>
        {tail.events.map(({ seq, time, type, id, jid, data }) => (
          <li key={seq}>
            <span class="mono quiet">
              {clock(time, true)} {seq}
            </span>{' '}
            {type.replace('_', ' ')}{' '}
            <Link to={{ view: 'job', id: linkId(id) }} class="mono">
              {shortId(id)}
            </Link>{' '}
            <bdi>{terminalText(jid ?? '')}</bdi>{' '}
            <span class="quiet">{typeof data?.state === 'string' ? data.state : ''}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Facts({
  facts: { version, startedAt, uptimeSeconds, jobs, disk, events, limits, limitedBy },
}: {
  readonly facts: ServerFacts;
}) {
  const used = disk.totalBytes - disk.freeBytes;
  const percent = disk.totalBytes === 0 ? 0 : Math.round((disk.freeBytes / disk.totalBytes) * 100);
  const isLow = disk.problem !== null || percent < 5;
  const { job, kept } = limits;
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
      <Fact name="Limits">
        {limits.jobsAtOnce} {limits.jobsAtOnce === 1 ? 'job' : 'jobs'} at once, requests of{' '}
        {bytesWords(limits.bodyBytes)}, {limits.graceSeconds} s from TERM to KILL
      </Fact>
      <Fact name="A job has at most">
        {listed([
          job.memoryBytes !== null && `memory ${bytesWords(job.memoryBytes)}`,
          job.cpus !== null && `${job.cpus} cpus`,
          job.processes !== null && `${job.processes} processes`,
          job.outputBytes !== null && `${bytesWords(job.outputBytes)} of each output of a part`,
        ]) || 'what it asks for'}
        <span class="quiet">
          {' '}
          (held by {limitedBy.memory}, {limitedBy.cpu}, {limitedBy.processes})
        </span>
      </Fact>
      <Fact name="Kept of ended jobs">
        {listed([
          kept.seconds !== null && span(kept.seconds * 1000),
          kept.jobs !== null && `${kept.jobs} jobs`,
          kept.bytes !== null && bytesWords(kept.bytes),
        ]) || 'all, until they are deleted'}
      </Fact>
    </dl>
  );
}

function listed(words: readonly (string | false)[]): string {
  return words.filter((one) => one !== false).join(', ');
}
