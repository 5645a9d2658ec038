import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jobResource } from '../../../../../lib/dialects/v2/jobResource.ts';
import { jobText } from '../../../../../lib/dialects/v2/jobText.ts';
import { hostView } from '../../../../../lib/jobs/jobView.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import {
  newRecord,
  recordDone,
  recordDropped,
  recordEnd,
  recordLost,
  recordStart,
  recordTrace,
} from '../../../../../lib/records/record.ts';
import type { TreeNode } from '../../../../../lib/tree/node.ts';

const root = newJobRoot(Date.now());
const job = { cmd: 'true', auid: 'me', jid: 'j' };

function contextOf(record: TreeNode, place = () => 1, isStarting = () => false) {
  const jobs = { view: hostView, place, isStarting };
  return { database: { outline: () => record }, jobs } as unknown as Parameters<typeof jobText>[0];
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

  it('is never an older one, whatever happens to the job, in whatever order', () => {
    const happenings: Readonly<Record<string, (record: TreeNode, turn: Turn) => void>> = {
      start: (record) => recordStart(record, 0, { cmd: 'true', pid: 1, startedAt: 0, host: {} }),
      end: (record) =>
        recordEnd(record, 0, { endedAt: 1, returncode: 3, stdout: 'a', stderr: '', cause: 'x' }),
      done: (record) => recordDone(record, 1),
      dropped: (record) => recordDropped(record, 0, { cause: 'no room', endedAt: 1 }),
      lost: (record) => recordLost(record, 1, 'nobody knows'),
      another: (record) => record.touch(['jid'], 'another'),
      'without a name': (record) => void record.rm(['jid']),
      traced: (record) => recordTrace(record, { traceparent: '00-1-2-01' }),
      container: (record) => record.touch(['container', 'cause'], 'no image'),
      'its turn has come': (_record, turn) => {
        turn.isStarting = true;
      },
      'others have gone': (_record, turn) => {
        turn.place -= 1;
      },
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(happenings))), (names) => {
        const record = newRecord({ rawMeta: job, ...job });
        const turn: Turn = { place: 9, isStarting: false };
        const context = contextOf(
          record,
          () => turn.place,
          () => turn.isStarting,
        );
        for (const name of names) {
          happenings[name]?.(record, turn);
          const now = JSON.stringify(jobResource(context.jobs, root, record));
          expect(jobText(context, root).text).toBe(now);
          expect(jobText(context, root).text).toBe(now);
        }
      }),
    );
  });
});

/** What of a job that waits is not in its record. */
interface Turn {
  place: number;
  isStarting: boolean;
}
