import { epochOfReadable } from '../host/stamps.ts';
import type { TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../wire/json.ts';
import { jsonOrUndefined } from '../wire/maybeJson.ts';
import { type JobStatus, progressOf } from './progress.ts';

/** How a job stands by its record alone, whatever runs it: what lists, events and pages are made of. */
export interface JobView {
  readonly command: string;
  readonly isContainer: boolean;
  /** What it was asked for with: the members of `meta`; reads them when it is first called. */
  asked(): JsonObject;
  readonly status: JobStatus;
  /** Whether nothing of it runs any more. */
  readonly isDone: boolean;
  /**
   * When its last part ended, or it was decided that none runs, in milliseconds since 1970; null while it goes on, and where
   * nobody knows.
   */
  readonly endedAt: number | null;
  /** Why it did not run, or waits. */
  readonly cause: string | null;
  /** The parts that have started, in order. */
  readonly parts: readonly PartView[];
}

export interface PartView {
  readonly command: string;
  /** Exit code, or negative signal number; null while it runs, and when nobody knows. */
  readonly exitCode: number | null;
  readonly hasEnded: boolean;
  /** Why it ended, when it was not by itself. */
  readonly cause: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** What it has used, as its record shows it. */
  readonly usage: JsonObject | null;
  /** The limits that it was started with, and what holds it to them; undefined where the record says nothing. */
  readonly limits?: JsonObject | undefined;
}

/** What runs a job. */
export type Backend = 'host' | 'ssh' | 'container';

export function backendOf(view: Pick<JobView, 'isContainer' | 'asked'>): Backend {
  if (view.isContainer) return 'container';
  return typeof view.asked().ssh === 'string' ? 'ssh' : 'host';
}

/** That of the first part that did not end well; 0 when all did. */
export function exitCodeOf({ isDone, parts }: JobView): number | null {
  if (!isDone || parts.length === 0) return null;
  const bad = parts.find(({ exitCode }) => exitCode !== 0);
  return bad === undefined ? 0 : bad.exitCode;
}

/** Reads how a job stands, from a record of any kind. */
export type ViewJob = (record: TreeNode) => JobView;

/** What the record of a job of this host says. */
export function hostView(record: TreeNode): JobView {
  const { status, isDone, entries } = progressOf(record);
  let asked: JsonObject | undefined;
  const last = entries.at(-1);
  return {
    command: textOf(record.cat(['cmd'])) ?? '',
    isContainer: false,
    asked: () => {
      asked ??= askedIn(record);
      return asked;
    },
    status,
    isDone,
    endedAt: isDone
      ? timeOf(last === undefined ? record.leaves.get('endstamp') : last.endstamp)
      : null,
    cause: textOf(record.leaves.get('lost')) ?? textOf(record.leaves.get('cause')) ?? null,
    parts: entries.map((entry) => ({
      command: textOf(entry.cmd)?.trim() ?? '',
      exitCode: typeof entry.returncode === 'number' ? entry.returncode : null,
      hasEnded: entry.doneTrigger === true,
      cause: textOf(entry.cause) ?? null,
      startedAt: timeOf(entry.startstamp),
      endedAt: timeOf(entry.endstamp),
      usage: isJsonObject(entry.usage) ? entry.usage : null,
      limits: entry.limits !== undefined && isJsonObject(entry.limits) ? entry.limits : undefined,
    })),
  };
}

/** The `meta` in a record. A garbled one is empty: its job is one like any other. */
function askedIn(record: TreeNode): JsonObject {
  const text = record.leaves.get('d_meta');
  const value = typeof text === 'string' ? (jsonOrUndefined(text) as JsonValue | undefined) : text;
  return value !== undefined && isJsonObject(value) ? value : {};
}

/** A text of a record that says something. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What a record has as a time, in milliseconds since 1970. */
export function timeOf(value: JsonValue | undefined): number | null {
  return typeof value === 'string' ? (epochOfReadable(value) ?? null) : null;
}
