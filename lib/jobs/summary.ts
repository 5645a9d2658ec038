import { createHash } from 'node:crypto';
import { BadRequestError } from '../errors.ts';
import type { JobSummary } from '../records/index/jobIndex.ts';
import type { TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import type { ReadProgress } from './progress.ts';
import { isContainerRecord } from './recordKinds.ts';

/** What of a record is kept in memory for every job. `outputBytes`: the size of its output files. */
export type Summarize = (record: TreeNode, outputBytes?: number) => JobSummary;

export function summarizer(progressOf: ReadProgress): Summarize {
  return (record, outputBytes = 0) => {
    const jid = record.leaves.get('jid');
    const auid = record.leaves.get('auid');
    const { isDone, status } = progressOf(record);
    return {
      ...(jid === undefined ? {} : { jid }),
      ...(auid === undefined ? {} : { auid }),
      ...(isDone ? { status, bytes: outputBytes + sizeOf(record) } : {}),
      ...keyOf(record),
    };
  };
}

/** The idempotency key in the job's meta, and a digest of that meta. */
function keyOf(record: TreeNode): Pick<JobSummary, 'key' | 'digest'> {
  const text = record.leaves.get('d_meta');
  if (typeof text !== 'string' || !text.includes('"key"')) return {};
  const meta = metaIn(text);
  if (typeof meta?.key !== 'string') return {};
  const sent = isContainerRecord(record) ? dumps(withoutOurs(meta)) : text;
  return { key: meta.key, digest: createHash('sha256').update(sent).digest('hex') };
}

/** What a container job's meta has beyond the request comes and changes later. */
function withoutOurs({ cmdMgr: _, cmdMrg_byte_str: __, ...sent }: JsonObject): JsonObject {
  return sent;
}

/** A file or a folder takes about a block; long texts take more. */
const BLOCK_BYTES = 4096;

function sizeOf(record: TreeNode): number {
  let bytes = BLOCK_BYTES;
  for (const { path, value } of record.walk()) {
    const text = typeof value === 'string' ? value.length : textOf(value);
    bytes += Math.max(BLOCK_BYTES, text) + (path.at(-2) === undefined ? 0 : BLOCK_BYTES);
  }
  return bytes;
}

/** The size of the outputs in an entry, which is what makes one large. */
function textOf(value: JsonValue): number {
  if (!isJsonObject(value)) return 0;
  let length = 0;
  for (const entry of Object.values(value)) {
    if (!isJsonObject(entry)) continue;
    for (const text of [entry.stdout, entry.stderr]) {
      if (typeof text === 'string') length += text.length;
    }
  }
  return length;
}

function metaIn(text: string): JsonObject | undefined {
  try {
    const parsed = parseJson(text);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch (error) {
    // A garbled record is a job like any other.
    if (error instanceof BadRequestError) return undefined;
    throw error;
  }
}
