import { describe, expect, it } from '@jest/globals';
import { jobText } from '../../../../../lib/dialects/v2/jobText.ts';
import { hostView } from '../../../../../lib/jobs/jobView.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordStart,
} from '../../../../../lib/records/record.ts';
import type { TreeNode } from '../../../../../lib/tree/node.ts';

const root = newJobRoot(Date.now());
const job = { cmd: 'true', auid: 'me', jid: 'j' };

function contextOf(record: TreeNode, place: () => number = () => 1) {
  const jobs = { view: hostView, place, isStarting: () => false };
  return { database: { tree: () => record }, jobs } as unknown as Parameters<typeof jobText>[0];
}

function ended(): TreeNode {
  const record = newRecord({ rawMeta: job, ...job });
  recordStart(record, 0, { cmd: 'true', pid: 1, startedAt: 0, host: {} });
  recordEnd(record, 0, { endedAt: 1, returncode: 0, stdout: '', stderr: '' });
  recordDone(record, 1);
  return record;
}

describe('the text of a job', () => {
  it('is made once, as long as nothing of the job changes', () => {
    const context = contextOf(ended());
    const first = jobText(context, root);
    expect(JSON.parse(first.text)).toMatchObject({ id: root, jid: 'j', state: 'succeeded' });
    expect(jobText(context, root)).toBe(first);
    expect(first.bytes).toBe(Buffer.byteLength(first.text));
  });

  it('tells what has changed at once, and has another digest then', () => {
    const record = ended();
    const before = jobText(contextOf(record), root);
    record.touch(['lost'], 'nobody knows');
    const after = jobText(contextOf(record), root);
    expect(JSON.parse(after.text)).toMatchObject({ state: 'lost' });
    expect(after.digest).not.toBe(before.digest);
  });

  it('of a job that waits has its place as it is now, which no record tells', () => {
    let place = 2;
    const context = contextOf(newRecord({ rawMeta: job, ...job }), () => place);
    expect(JSON.parse(jobText(context, root).text)).toMatchObject({ state: 'waiting', place: 2 });
    place = 1;
    expect(JSON.parse(jobText(context, root).text)).toMatchObject({ place: 1 });
  });
});
