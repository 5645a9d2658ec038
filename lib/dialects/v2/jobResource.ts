import type { Jobs } from '../../jobs/jobs.ts';
import { backendOf, type JobView } from '../../jobs/jobView.ts';
import { reasonOf, stateOf } from '../../jobs/states.ts';
import { acceptedAt } from '../../records/jobRoot.ts';
import type { TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonObject } from '../../wire/json.ts';
import { type JobResource, limitsSchema } from './schemas.ts';

/** A job as `/api/v2` shows it, by its record alone. */
export function jobResource(
  jobs: Pick<Jobs, 'view' | 'place'>,
  root: string,
  record: TreeNode,
): JobResource {
  const view = jobs.view(record);
  const state = stateOf(view);
  const asked = view.asked();
  const place = state === 'waiting' ? (jobs.place(root) ?? null) : null;
  const self = `/api/v2/jobs/${root}`;
  return {
    id: root,
    jid: leaf(record, 'jid'),
    auid: leaf(record, 'auid'),
    command: view.command,
    backend: backendOf(view),
    image: imageIn(asked),
    state,
    reason: reasonOf(view, state),
    exitCode: exitCodeOf(view),
    acceptedAt: new Date(acceptedAt(root)).toISOString(),
    startedAt: rfc3339(view.parts[0]?.startedAt),
    endedAt: rfc3339(view.endedAt),
    traceparent: leaf(record, 'traceparent'),
    tracestate: leaf(record, 'tracestate'),
    place,
    limits: limitsOf(view),
    parts: view.parts.map(({ command, exitCode, cause, startedAt, endedAt }) => ({
      ...{ command, exitCode, cause },
      startedAt: rfc3339(startedAt),
      endedAt: rfc3339(endedAt),
    })),
    links: {
      self,
      stdout: `${self}/stdout`,
      stderr: `${self}/stderr`,
      events: `/api/v2/events?id=${root}`,
    },
  };
}

/** Those of the newest part; each part of a job is started with the same. */
function limitsOf({ parts }: JobView): JobResource['limits'] {
  const found = limitsSchema.safeParse(parts.at(-1)?.limits);
  return found.success ? found.data : null;
}

/** That of the first part that did not end well; 0 when all did. */
function exitCodeOf({ isDone, parts }: JobView): number | null {
  if (!isDone || parts.length === 0) return null;
  const bad = parts.find(({ exitCode }) => exitCode !== 0);
  return bad === undefined ? 0 : bad.exitCode;
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

function rfc3339(epochMs: number | null | undefined): string | null {
  return epochMs === null || epochMs === undefined ? null : new Date(epochMs).toISOString();
}
