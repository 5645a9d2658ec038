import { describe, expect, it } from '@jest/globals';
import {
  newContainerRecord,
  recordContainerEnd,
  recordScheduled,
} from '../../../../../lib/jobs/container/containerRecord.ts';
import { jobViewer } from '../../../../../lib/jobs/container/jobViewer.ts';
import { readMemoryShown } from '../../../../helpers/memoryEngine.ts';

const T0 = Date.UTC(2026, 0, 1, 12, 0, 0);
const view = jobViewer(readMemoryShown);

/** The record of a job that was scheduled 500 ms after T0, and has ended then if it has. */
function recordOf(endedAt: number | undefined, exit: number | null = 0) {
  const job = { meta: {}, container: {}, cmdMgr: 'm', cmd: 'true', auid: 'a', jid: 'j' };
  const record = newContainerRecord(job);
  const times = { startedAt: T0 + 500, endedAt: T0 + 600, host: {} };
  recordScheduled(record, job, { printed: '', ...times });
  if (endedAt === undefined) return record;
  recordContainerEnd(record, {
    ...{ status: exit === 0 ? 'finishedSuccessfully' : 'finishedWithError', workers: [] },
    ...{ shown: { exit }, logs: '', outputs: [], cause: undefined, endedAt },
  });
  return record;
}

describe('the time when a container job ended', () => {
  it('is what the engine told, of the job and of its part', () => {
    const { endedAt, parts } = view(recordOf(T0 + 5000));
    expect([endedAt, parts[0]?.endedAt]).toEqual([T0 + 5000, T0 + 5000]);
  });

  it('is known also where no exit code is', () => {
    expect(view(recordOf(T0 + 5000, null)).endedAt).toBe(T0 + 5000);
  });

  it('is never before its start, also by a clock that tells seconds only', () => {
    expect(view(recordOf(T0)).endedAt).toBe(T0 + 500);
  });

  it('is not known before the end', () => {
    expect(view(recordOf(undefined)).endedAt).toBeNull();
  });
});
