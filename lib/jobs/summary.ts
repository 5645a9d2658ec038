import { createHash } from 'node:crypto';
import { BadRequestError } from '../errors.ts';
import type { JobEnd, JobSummary } from '../records/index/jobSummary.ts';
import type { TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import { fromEchoForm } from './echoForm.ts';
import { exitCodeOf, type JobView, type ViewJob } from './jobView.ts';
import { isContainerRecord } from './recordKinds.ts';
import { isOver, REASONS, reasonOf, stateOf } from './states.ts';

/** What of a record is kept in memory for every job. `outputBytes`: the size of its output files. */
export type Summarize = (record: TreeNode, outputBytes?: number) => JobSummary;

export function summarizer(viewOf: ViewJob): Summarize {
  return (record, outputBytes = 0) => {
    const jid = record.leaves.get('jid');
    const auid = record.leaves.get('auid');
    const view = viewOf(record);
    const { state, ...end } = view.isDone ? endOf(view) : {};
    const meta = metaOf(record);
    return {
      ...(jid === undefined ? {} : { jid }),
      ...(auid === undefined ? {} : { auid }),
      ...(view.isDone ? { status: view.status } : {}),
      ...(state === undefined ? {} : { state }),
      ...(view.isDone ? { bytes: outputBytes + sizeOf(record) } : {}),
      ...commandOf(record),
      ...kindOf(record, meta),
      ...labelsOf(meta),
      ...keyOf(record, meta),
      ...end,
    };
  };
}

/** A cause that is longer is read from the record, and all of the end with it. */
const CAUSE_CHARACTERS = 256;
/** What a column of the index holds, as operating systems do. */
const isExitCode = (code: number) => Number.isInteger(code) && Math.abs(code) < 2 ** 31 - 1;

/** How a job has ended, as lists show it. */
function endOf(view: JobView): JobEnd {
  const state = stateOf(view);
  if (!isOver(state)) return {};
  const reason = reasonOf(view, state);
  const exit = exitCodeOf(view);
  const isLong = (reason?.message.length ?? 0) > CAUSE_CHARACTERS;
  if (isLong || (exit !== null && !isExitCode(exit))) return { state };
  return {
    ...{ state, exit },
    ...microseconds('startUs', view.parts[0]?.startedAt),
    ...microseconds('endUs', view.endedAt),
    ...(reason !== null && { code: reason.code }),
    ...(reason !== null && reason.message !== REASONS[reason.code] && { cause: reason.message }),
  };
}

function microseconds(name: 'startUs' | 'endUs', epochMs: number | null | undefined) {
  return epochMs === null || epochMs === undefined ? {} : { [name]: Math.round(epochMs * 1000) };
}

/** So much of a command is known without the record. */
const COMMAND_CHARACTERS = 256;

function commandOf(record: TreeNode): Pick<JobSummary, 'cmd' | 'isLong'> {
  const leaf = record.leaves.get('cmd');
  const text = typeof leaf === 'string' ? leaf : '';
  const whole = isContainerRecord(record) ? fromEchoForm(text) : text;
  const cmd = whole.slice(0, COMMAND_CHARACTERS);
  return { cmd, ...(cmd === whole ? {} : { isLong: true }) };
}

function kindOf(record: TreeNode, meta: JsonObject | undefined): Pick<JobSummary, 'runsOn'> {
  if (isContainerRecord(record)) return { runsOn: 'container' };
  return typeof meta?.ssh === 'string' ? { runsOn: 'ssh' } : {};
}

function labelsOf(meta: JsonObject | undefined): Pick<JobSummary, 'labels'> {
  const { labels } = meta ?? {};
  if (labels === undefined || !isJsonObject(labels)) return {};
  const texts = Object.entries(labels).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return texts.length === 0 ? {} : { labels: Object.fromEntries(texts) };
}

/** The meta of a job, where it has something that matters here: most need not be read. */
function metaOf(record: TreeNode): JsonObject | undefined {
  const text = record.leaves.get('d_meta');
  return typeof text === 'string' && /"(key|ssh|labels)"/.test(text) ? metaIn(text) : undefined;
}

/** The idempotency key in the job's meta, and a digest of that meta. */
function keyOf(record: TreeNode, meta: JsonObject | undefined): Pick<JobSummary, 'key' | 'digest'> {
  if (typeof meta?.key !== 'string') return {};
  const text = String(record.leaves.get('d_meta'));
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
