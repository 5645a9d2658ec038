import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostFacts } from '../../lib/host/facts.ts';
import { silentLogger } from '../../lib/log.ts';
import { IndexFile } from '../../lib/records/index/indexFile.ts';
import type { JobSummary } from '../../lib/records/index/jobSummary.ts';
import { newJobRoot } from '../../lib/records/jobRoot.ts';
import { OutlineStore } from '../../lib/records/outlineStore.ts';
import { newRecord, recordDone, recordEnd, recordStart } from '../../lib/records/record.ts';
import type { TreeNode } from '../../lib/tree/node.ts';
import { dumps } from '../../lib/wire/pythonJson.ts';
import { summaryOf } from '../helpers/records.ts';

/**
 * Writes a database of finished jobs, as a pman would have that ran them one a minute: `history-0`, `history-1`, … of
 * ten users, every tenth one failed.
 * Usage: npm run history -- <jobs> <folder> [--no-index | --thin]
 * With --thin the folders of the records are empty: enough for a start with the index, and for what that and the outlines answer.
 */
const MINUTE_MS = 60_000;
const DURATION_MS = 1234.567;

export interface HistoryOptions {
  readonly jobs: number;
  /** The folder to be given to pman as --DBpath; made where it is missing. */
  readonly folder: string;
  /** Whether to write the index that pman keeps beside it; without one the first start reads every record. */
  readonly withIndex?: boolean;
  /** Whether the folders of the records are left empty: of all, or of the jobs with these numbers. */
  readonly isThin?: boolean | ((n: number) => boolean);
  /** How many users the jobs are of; default 10. */
  readonly users?: number;
}

export function writeHistory(options: HistoryOptions): void {
  const { jobs, folder, withIndex = true, isThin = false, users = 10 } = options;
  const workFolder = `${folder}.spool`;
  mkdirSync(folder, { recursive: true });
  mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const summaries: [string, JobSummary][] = [];
  const outlines = new OutlineStore(join(workFolder, 'outlines'), silentLogger());
  const firstAt = Date.now() - (jobs + 1) * MINUTE_MS;
  for (let i = 0; i < jobs; i += 1) {
    const startedAt = firstAt + i * MINUTE_MS;
    const root = newJobRoot(startedAt);
    const record = finishedJob(i, startedAt, users);
    if (typeof isThin === 'boolean' ? isThin : isThin(i)) mkdirSync(join(folder, root));
    else writeNode(join(folder, root), record);
    const outline = withIndex ? outlines.add(root, record) : undefined;
    summaries.push([root, { ...summaryOf(record), ...(outline && { outline }) }]);
  }
  outlines.close();
  if (withIndex) new IndexFile(join(workFolder, 'index.jsonl'), silentLogger()).rewrite(summaries);
}

const host = hostFacts();

function finishedJob(i: number, startedAt: number, users: number): TreeNode {
  const cmd = `echo job ${i}`;
  const meta = { cmd, auid: `user-${i % users}`, jid: `history-${i}` };
  const record = newRecord({ rawMeta: { ...meta, threaded: true }, ...meta });
  recordStart(record, 0, { cmd, pid: 1000 + (i % 30_000), startedAt, host });
  recordEnd(record, 0, {
    endedAt: startedAt + DURATION_MS,
    returncode: i % 10 === 9 ? 1 : 0,
    stdout: `job ${i}\n`,
    stderr: '',
    usage: {
      ...{ wall_seconds: (DURATION_MS + (i % 1000)) / 1000, user_seconds: 0.003761 },
      ...{ system_seconds: 0, peak_memory_below_bytes: 50_638_848, source: 'wait4' },
    },
  });
  recordDone(record, 1);
  return record;
}

function writeNode(folder: string, node: TreeNode): void {
  mkdirSync(folder);
  for (const [name, value] of node.leaves) writeFileSync(join(folder, name), dumps(value));
  for (const [name, child] of node.children) writeNode(join(folder, name), child);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count, folder] = process.argv.slice(2);
  if (!Number(count) || folder === undefined) {
    console.error('usage: npm run history -- <jobs> <folder> [--no-index | --thin]');
    process.exit(2);
  }
  const withIndex = !process.argv.includes('--no-index');
  const isThin = process.argv.includes('--thin');
  writeHistory({ jobs: Number(count), folder: resolve(folder), withIndex, isThin });
}
