import { TreeNode } from '../../tree/node.ts';
import { portableJson } from '../../wire/portableJson.ts';
import type { ApiContext } from './apiRoute.ts';
import { jobResource } from './jobResource.ts';
import { WrittenJson } from './writtenJson.ts';

interface Kept {
  /** Of the record, when it was written. */
  readonly changes: number;
  readonly json: WrittenJson;
}

/**
 * Texts of jobs, each as long as its record is in memory and has not changed. Records are kept in memory within a budget, and the
 * text of a job is about as long as its record: so are these.
 */
const kept = new WeakMap<TreeNode, Kept>();

/** A job as `/api/v2` shows it. */
export function jobText(
  { database, jobs }: Pick<ApiContext, 'database' | 'jobs'>,
  root: string,
): WrittenJson {
  const record = database.outline(root);
  if (record === undefined) return written(jobResource(jobs, root, new TreeNode()));
  const before = kept.get(record);
  if (before?.changes === record.changes) return before.json;
  const job = jobResource(jobs, root, record);
  const json = written(job);
  // How a job waits is not in its record.
  const isWaiting = job.state === 'waiting' || job.state === 'starting';
  if (!isWaiting) kept.set(record, { changes: record.changes, json });
  return json;
}

function written(job: unknown): WrittenJson {
  return new WrittenJson(portableJson(job));
}
