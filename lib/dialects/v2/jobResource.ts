import { utcTime } from '../../host/utcTime.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { backendOf, exitCodeOf, type JobView } from '../../jobs/jobView.ts';
import { reasonOf, stateOf } from '../../jobs/states.ts';
import { acceptedAt } from '../../records/jobRoot.ts';
import type { TreeNode } from '../../tree/node.ts';
import { ExactNumber, isJsonObject, type JsonObject } from '../../wire/json.ts';
import { type JobResource, limitsSchema } from './jobSchema.ts';

/** A job as `/api/v2` shows it, by its record alone. */
export function jobResource(
  jobs: Pick<Jobs, 'view' | 'place' | 'isStarting'>,
  root: string,
  record: TreeNode,
): JobResource {
  const view = jobs.view(record);
  const state = stateOf(view, jobs.isStarting(root));
  const asked = view.asked();
  const accepted = acceptedAt(root);
  const place = state === 'waiting' ? (jobs.place(root) ?? null) : null;
  return {
    id: root,
    jid: leaf(record, 'jid'),
    auid: leaf(record, 'auid'),
    command: view.command,
    shell: asked.shell === true,
    backend: backendOf(view),
    image: imageIn(asked),
    state,
    reason: reasonOf(view, state),
    exitCode: exitCodeOf(view),
    labels: labelsIn(asked),
    cwd: typeof asked.cwd === 'string' ? asked.cwd : null,
    rerunOf: typeof asked.rerunOf === 'string' ? asked.rerunOf : null,
    acceptedAt: utcTime(accepted),
    startedAt: rfc3339(view.parts[0]?.startedAt),
    endedAt: rfc3339(view.endedAt),
    ns: {
      accepted: nanoseconds(accepted) ?? '0',
      started: nanoseconds(view.parts[0]?.startedAt),
      ended: nanoseconds(view.endedAt),
    },
    traceparent: leaf(record, 'traceparent'),
    tracestate: leaf(record, 'tracestate'),
    place,
    asked: limitsIn(asked),
    limits: limitsOf(view),
    usage: usageOf(view),
    parts: view.parts.map(({ command, exitCode, cause, startedAt, endedAt }) => ({
      ...{ command, exitCode, cause },
      startedAt: rfc3339(startedAt),
      endedAt: rfc3339(endedAt),
    })),
    links: linksOf(root),
  };
}

/** Where the rest of a job is to be had. */
export function linksOf(root: string): JobResource['links'] {
  const self = `/api/v2/jobs/${root}`;
  return {
    self,
    stdout: `${self}/stdout`,
    stderr: `${self}/stderr`,
    output: `${self}/output`,
    files: `${self}/files`,
    events: `/api/v2/events?id=${root}`,
  };
}

/** Those of the newest part; each part of a job is started with the same. */
function limitsOf({ parts }: JobView): JobResource['limits'] {
  const limits = parts.at(-1)?.limits;
  if (limits === undefined) return null;
  const found = limitsSchema.safeParse(limits);
  return found.success ? found.data : null;
}

function imageIn({ container }: JsonObject): string | null {
  const target = container !== undefined && isJsonObject(container) ? container.target : undefined;
  const image = target !== undefined && isJsonObject(target) ? target.image : undefined;
  return typeof image === 'string' ? image : null;
}

function leaf(record: TreeNode, name: string): string | null {
  const value = record.leaves.get(name);
  return typeof value === 'string' ? value : null;
}

/** A time in milliseconds since 1970 as RFC 3339 has it; null when there is none. */
export function rfc3339(epochMs: number | null | undefined): string | null {
  return epochMs === null || epochMs === undefined ? null : utcTime(epochMs);
}

/** The times of records are known to the microsecond; as text, since JavaScript's numbers are too short. */
function nanoseconds(epochMs: number | null | undefined): string | null {
  if (epochMs === null || epochMs === undefined) return null;
  const micros = Math.round(epochMs * 1000);
  return micros === 0 ? '0' : `${micros}000`;
}

/** The labels in the meta of a job. */
export function labelsIn({ labels }: JsonObject): Record<string, string> {
  if (labels === undefined || !isJsonObject(labels)) return {};
  return Object.fromEntries(
    Object.entries(labels).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

function limitsIn(asked: JsonObject): JobResource['asked'] {
  const number = (name: string) => {
    const value = asked[name] ?? null;
    if (value instanceof ExactNumber) return Number(value.text);
    return typeof value === 'number' ? value : null;
  };
  const amount = (name: string) => (typeof asked[name] === 'string' ? asked[name] : number(name));
  return {
    timeout: number('timeout'),
    memory: amount('memory_limit'),
    maxOutput: amount('max_output'),
    nice: number('nice'),
    cpus: amount('cpu_limit'),
    gpus: amount('gpu_limit'),
    workers: amount('number_of_workers'),
  };
}

/** What its parts have used together, as far as it is known; of the memory the largest. */
function usageOf({ parts }: JobView): JobResource['usage'] {
  const known = parts.flatMap(({ usage }) => (usage === null ? [] : [usage]));
  if (known.length === 0) return null;
  const values = (name: string) =>
    known.flatMap((usage) => {
      const value = usage[name];
      if (value instanceof ExactNumber) return [Number(value.text)];
      return typeof value === 'number' ? [value] : [];
    });
  const sum = (name: string) => {
    const all = values(name);
    return all.length === 0 ? null : Math.round(all.reduce((a, b) => a + b, 0) * 1e6) / 1e6;
  };
  const peaks = values('peak_memory_bytes');
  return {
    wallSeconds: sum('wall_seconds'),
    userSeconds: sum('user_seconds'),
    systemSeconds: sum('system_seconds'),
    peakMemoryBytes: peaks.length === 0 ? null : Math.max(...peaks),
  };
}
