import { readableStamp } from '../host/stamps.ts';
import { nodeFromJson, TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import type { TraceContext } from '../wire/traceContext.ts';

/**
 * The job record, node for node that of the original (protocol b):
 * `d_meta cmd auid jid jobCount startInfo endInfo start/<k>/startInfo end/<k>/endInfo`, and `container/…`.
 * Epoch k holds the entries of the sub-jobs 0..k; the epoch behind the last one holds a marker.
 */
export interface NewJob {
  readonly rawMeta: JsonObject;
  readonly cmd: string;
  readonly auid: string;
  readonly jid: string;
  readonly container?: JsonObject;
  /** The trace that it belongs to: two leaves of ours. */
  readonly trace?: TraceContext;
}

/** A place to change a record in; whoever gives it out sees to it that changes reach the disk. */
export interface RecordEditor {
  cat(path: readonly string[]): JsonValue | undefined;
  touch(path: readonly string[], value: JsonValue): void;
  mkdir(path: readonly string[]): void;
}

const STARTED_MARKER = { allJobsStarted: true } as const;
const DONE_MARKER = { allJobsDone: true } as const;

/** The record of a job that has been accepted and not started. */
export function newRecord({ rawMeta, cmd, auid, jid, container, trace }: NewJob): TreeNode {
  const record = new TreeNode();
  record.touch(['d_meta'], dumps(rawMeta));
  record.touch(['cmd'], cmd);
  // pman 2.2.4 leaves empty ones out.
  if (auid !== '') record.touch(['auid'], auid);
  if (jid !== '') record.touch(['jid'], jid);
  record.touch(['jobCount'], 0);
  record.mkdir(['start']);
  record.mkdir(['end']);
  if (trace) recordTrace(record, trace);
  if (container) record.graft(['container'], nodeFromJson(container, isJsonObject));
  return record;
}

/** Writes down which trace a job belongs to. */
export function recordTrace(record: TreeNode, { traceparent, tracestate }: TraceContext): void {
  record.touch(['traceparent'], traceparent);
  if (tracestate !== undefined) record.touch(['tracestate'], tracestate);
}

export interface SubJobStart {
  readonly cmd: string;
  /** Absent when no process was started. */
  readonly pid?: number;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly host: JsonObject;
  /** What the entry says about the other host that runs it. */
  readonly remote?: JsonObject;
  /** The limits that it was started with, and what holds it to them. */
  readonly limits?: JsonObject;
}

export interface SubJobEnd {
  readonly endedAt: number;
  /** Exit code, negative signal number, or null when it could not be found out. */
  readonly returncode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it ended, in words, when it was not by itself. */
  readonly cause?: string;
  readonly usage?: JsonObject;
}

/** Writes down that sub-job k has started. */
export function recordStart(record: RecordEditor, k: number, start: SubJobStart): void {
  const entry: JsonObject = {
    cmd: start.cmd,
    done: false,
    started: true,
    startTrigger: true,
    eventFunctionDone: false,
    ...start.host,
    startstamp: readableStamp(start.startedAt),
    ...start.remote,
    ...(start.pid === undefined ? {} : { pid: start.pid }),
    ...(start.limits === undefined ? {} : { limits: start.limits }),
  };
  const entries = { ...entriesBefore(record, k), [k]: entry };
  record.touch(['startInfo'], entries);
  record.touch(['start', String(k), 'startInfo'], entries);
}

/** Writes down that sub-job k has ended. Its entry among the started ones shows the end too, as in the original. */
export function recordEnd(record: RecordEditor, k: number, end: SubJobEnd): void {
  const started = entriesOf(record.cat(['start', String(k), 'startInfo']));
  const entry: JsonObject = {
    ...entriesOf(started[k]),
    done: true,
    started: false,
    endstamp: readableStamp(end.endedAt),
    doneTrigger: true,
    returncode: end.returncode,
    stdout: end.stdout,
    stderr: end.stderr,
    ...(end.cause === undefined ? {} : { cause: end.cause }),
    ...(end.usage === undefined ? {} : { usage: end.usage }),
  };
  const entries = { ...started, [k]: entry };
  record.touch(['startInfo'], entries);
  record.touch(['start', String(k), 'startInfo'], entries);
  record.touch(['end', String(k), 'endInfo'], entries);
  record.touch(['endInfo'], entries);
  record.touch(['jobCount'], k);
}

/** Closes the record: no further sub-job runs after the `count` that did. */
export function recordDone(record: RecordEditor, count: number): void {
  record.touch(['start', String(count), 'startInfo'], STARTED_MARKER);
  record.touch(['startInfo'], STARTED_MARKER);
  record.touch(['end', String(count), 'endInfo'], DONE_MARKER);
  record.touch(['endInfo'], DONE_MARKER);
  record.touch(['jobCount'], count);
}

/**
 * Closes the record of a job of which no (further) sub-job is run. The leaf `cause` is ours: why. So is `endstamp`, of a job
 * of which nothing was run: where the original writes down when something ended, this one has no entry.
 * @param endedAt when that was decided; a record that says it already keeps what it says
 */
export function recordDropped(
  record: RecordEditor,
  count: number,
  { cause, endedAt }: { readonly cause: string; readonly endedAt: number },
): void {
  record.touch(['cause'], cause);
  if (count === 0 && record.cat(['endstamp']) === undefined)
    record.touch(['endstamp'], readableStamp(endedAt));
  recordDone(record, count);
}

/**
 * Closes the record of a job of which it cannot be found out how it ended. The leaf `lost` is ours: the reason.
 */
export function recordLost(record: RecordEditor, count: number, reason: string): void {
  record.touch(['lost'], reason);
  recordDone(record, count);
}

function entriesBefore(record: RecordEditor, k: number): JsonObject {
  return k === 0 ? {} : entriesOf(record.cat(['end', String(k - 1), 'endInfo']));
}

function entriesOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
