import type { Job } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { Fact } from './fact.tsx';
import { Link } from './link.tsx';
import { linkId } from './pagePlace.ts';
import { ScrollRegion } from './scrollRegion.tsx';
import { bytesWords, dayAndClock, shortId, span } from './shown.ts';

/** All that is recorded of a job. */
export function RecordView({ job }: { readonly job: Job }) {
  const { usage, limits, asked } = job;
  const labels = Object.entries(job.labels).map(([name, value]) => `${name}=${value}`);
  const askedWords = Object.entries(asked).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${value}`],
  );
  const waited =
    job.startedAt === null ? undefined : Date.parse(job.startedAt) - Date.parse(job.acceptedAt);
  return (
    <ScrollRegion name="Record">
      <dl class="record">
        <Fact name="Command">
          <code class="wrap">{terminalText(job.command)}</code>
        </Fact>
        <Fact name="ID">
          <code>{job.id}</code>
        </Fact>
        <Fact name="Name (jid)">{job.jid}</Fact>
        <Fact name="User (auid)">{job.auid}</Fact>
        <Fact name="Runs on">
          {job.backend}
          {job.image !== null && <>, image {terminalText(job.image)}</>}
        </Fact>
        <Fact name="Folder">{job.cwd}</Fact>
        <Fact name="Accepted">{dayAndClock(job.acceptedAt)}</Fact>
        <Fact name="Began">
          {job.startedAt !== null && `${dayAndClock(job.startedAt)}, waited ${span(waited ?? 0)}`}
        </Fact>
        <Fact name="Ended">{job.endedAt !== null && dayAndClock(job.endedAt)}</Fact>
        <Fact name="Exit code">{job.exitCode === null ? null : String(job.exitCode)}</Fact>
        <Fact name="Cause">
          {job.reason !== null && `${job.reason.code}: ${job.reason.message}`}
        </Fact>
        <Fact name="CPU">
          {usage !== null &&
            usage.userSeconds !== null &&
            `${usage.userSeconds} s user, ${usage.systemSeconds ?? 0} s system, in ${usage.wallSeconds ?? '?'} s`}
        </Fact>
        <Fact name="Peak memory">
          {usage !== null && usage.peakMemoryBytes !== null && bytesWords(usage.peakMemoryBytes)}
        </Fact>
        <Fact name="Limits asked for">{askedWords.join(', ')}</Fact>
        <Fact name="Held to">
          {[
            limits?.memory && `memory ${bytesWords(limits.memory.bytes)} (${limits.memory.by})`,
            limits?.cpu && `${limits.cpu.cpus} cpus (${limits.cpu.by})`,
            limits?.processes && `${limits.processes.count} processes (${limits.processes.by})`,
          ]
            .filter((one) => one !== undefined)
            .join(', ')}
        </Fact>
        <Fact name="Labels">{labels.join(', ')}</Fact>
        <Fact name="Repeats">
          {job.rerunOf !== null && (
            <Link to={{ view: 'job', id: linkId(job.rerunOf) }}>{shortId(job.rerunOf)}</Link>
          )}
        </Fact>
        <Fact name="Trace">{job.traceparent}</Fact>
      </dl>
      <details>
        <summary>As JSON</summary>
        <pre class="json">{terminalText(JSON.stringify(job, undefined, 2))}</pre>
      </details>
    </ScrollRegion>
  );
}
