import { createHash } from 'node:crypto';
import { BadRequestError } from '../errors.ts';
import type { TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonValue, parseJson } from '../wire/json.ts';
import type { JobSummary } from './jobIndex.ts';
import { isDone, progressOf } from './progress.ts';

/** What of a record is kept in memory for every job. */
export function summaryOf(record: TreeNode): JobSummary {
  const jid = record.leaves.get('jid');
  const auid = record.leaves.get('auid');
  return {
    ...(jid === undefined ? {} : { jid }),
    ...(auid === undefined ? {} : { auid }),
    ...(isDone(record) ? { status: progressOf(record).status } : {}),
    ...keyOf(record),
  };
}

/** The idempotency key in the job's meta, and a digest of that meta. */
function keyOf(record: TreeNode): Pick<JobSummary, 'key' | 'digest'> {
  const meta = record.leaves.get('d_meta');
  if (typeof meta !== 'string' || !meta.includes('"key"')) return {};
  const key = keyIn(meta);
  if (typeof key !== 'string') return {};
  return { key, digest: createHash('sha256').update(meta).digest('hex') };
}

function keyIn(meta: string): JsonValue | undefined {
  try {
    const parsed = parseJson(meta);
    return isJsonObject(parsed) ? parsed.key : undefined;
  } catch (error) {
    // A garbled record is a job like any other.
    if (error instanceof BadRequestError) return undefined;
    throw error;
  }
}
