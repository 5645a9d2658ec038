import { readableStamp } from '../../host/stamps.ts';
import {
  type RecordEditor,
  recordDone,
  recordEnd,
  recordStart,
  recordTrace,
} from '../../records/record.ts';
import { nodeFromJson, TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../wire/json.ts';
import { dumps } from '../../wire/pythonJson.ts';
import type { TraceContext } from '../../wire/traceContext.ts';
import { echoForm } from '../echoForm.ts';
import type { OutputLabel } from './outputs.ts';
import type { ContainerStatus } from './recorded.ts';

/** The record of a container job, node for node that of the original (protocol g). */

export interface ContainerRecordJob {
  /** As the record shows it (see planContainer). */
  readonly meta: JsonObject;
  readonly container: JsonObject;
  /** The command line of the manager. */
  readonly cmdMgr: string;
  readonly cmd: string;
  readonly auid: string;
  readonly jid: string;
  readonly trace?: TraceContext;
}

/** The record of a container job that has been accepted and not scheduled. */
export function newContainerRecord(job: ContainerRecordJob): TreeNode {
  const record = new TreeNode();
  record.touch(['d_meta'], dumps({ ...job.meta, cmdMgr: job.cmdMgr, cmdMrg_byte_str: '' }));
  record.touch(['cmdMgr'], dumps(job.cmdMgr));
  record.touch(['cmd'], echoForm(job.cmd));
  if (job.auid !== '') record.touch(['auid'], job.auid);
  if (job.jid !== '') record.touch(['jid'], job.jid);
  record.touch(['jobCount'], 0);
  if (job.trace) recordTrace(record, job.trace);
  record.graft(['container'], nodeFromJson(job.container, isJsonObject));
  record.mkdir(['start']);
  record.mkdir(['end']);
  return record;
}

/**
 * How long records of jobs that have not ended wait to be written: the job's own file has all that they are made of. So a job
 * that is over soon is written once, as a whole.
 */
export const WRITE_WAITING = { withinMs: 10_000 } as const;
export const WRITE_RUNNING = { withinMs: 1000 } as const;

export interface Scheduled {
  /** What the manager has printed. */
  readonly printed: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly host: JsonObject;
  /** Why it could not be scheduled. */
  readonly failure?: string;
}

/**
 * Writes down that the job was handed to the engine, or could not be. The entries are those of the original's `echo "<cmd>"`, which says
 * so; no such process is run, hence no pid.
 */
export function recordScheduled(
  record: RecordEditor,
  job: ContainerRecordJob,
  { printed, startedAt, endedAt, host, failure }: Scheduled,
): void {
  if (printed !== '') {
    record.touch(['d_meta'], dumps({ ...job.meta, cmdMgr: job.cmdMgr, cmdMrg_byte_str: printed }));
  }
  recordStart(record, 0, { cmd: echoForm(job.cmd), startedAt, host });
  recordEnd(record, 0, {
    endedAt,
    returncode: failure === undefined ? 0 : 1,
    stdout: failure === undefined ? `${job.cmd}\n` : '',
    stderr: failure === undefined ? '' : `${failure}\n`,
    ...(failure === undefined ? {} : { cause: failure }),
  });
  recordDone(record, 1);
}

export interface ContainerEnd {
  readonly status: ContainerStatus;
  /** How the engine shows the worker that decides; undefined when there never was one, or nothing is known of it. */
  readonly shown: JsonObject | undefined;
  /** How it shows each worker. */
  readonly workers: readonly JsonObject[];
  readonly logs: string;
  readonly outputs: readonly OutputLabel[];
  readonly cause: string | undefined;
  /** When the last worker ended, or the end was seen, in milliseconds since 1970. */
  readonly endedAt: number;
}

/** Writes down how the job has ended. The leaves `cause`, `tasks`, `outputs` and `endstamp` are ours. */
export function recordContainerEnd(record: RecordEditor, end: ContainerEnd): void {
  if (end.shown !== undefined) record.touch(['container', 'state'], end.shown);
  record.touch(['container', 'logs'], end.logs);
  if (end.outputs.length > 0) {
    const outputs = end.outputs.map(({ label, length }) => ({ label, length }));
    record.touch(['container', 'outputs'], outputs);
  }
  if (end.workers.length > 1) record.touch(['container', 'tasks'], end.workers);
  record.touch(['container', 'endstamp'], readableStamp(end.endedAt));
  recordContainerStatus(record, end.status, end.cause);
}

/** Writes down how the job stands, when that is news. */
export function recordContainerStatus(
  record: RecordEditor,
  status: ContainerStatus,
  cause: string | undefined,
): void {
  const set = (leaf: string, value: JsonValue | undefined) => {
    const known = record.cat(['container', leaf]);
    if (value !== undefined && known !== value) record.touch(['container', leaf], value);
  };
  set('currentState', status);
  // What it waited for is no news once it runs; a leaf cannot be taken away again.
  const waited = record.cat(['container', 'cause']) !== undefined;
  set('cause', cause ?? (waited ? '' : undefined));
}
