import { describe, expect, it } from '@jest/globals';
import { overrunCause } from '../../../../crunner/job/outputLimit.ts';
import { outputCause } from '../../../../lib/jobs/causeWords.ts';
import { jobViewer } from '../../../../lib/jobs/container/jobViewer.ts';
import { progressReader } from '../../../../lib/jobs/container/progressReader.ts';
import { reasonOf, stateOf } from '../../../../lib/jobs/states.ts';
import { summarizer } from '../../../../lib/jobs/summary.ts';
import { newRecord, recordDone, recordEnd, recordStart } from '../../../../lib/records/record.ts';
import type { TreeNode } from '../../../../lib/tree/node.ts';

const job = { cmd: 'yes', auid: 'me', jid: 'j' };
const readShown = () => ({ outcome: 'succeeded', exitCode: 0 }) as const;

/** All that clients are told of how a job ended: they must not contradict each other. */
function told(record: TreeNode) {
  const progressOf = progressReader(readShown);
  const view = jobViewer(readShown)(record);
  const state = stateOf(view);
  const summary = summarizer(jobViewer(readShown))(record);
  return {
    lStatus: progressOf(record).status,
    listed: summary.status,
    indexed: summary.state,
    state,
    reason: reasonOf(view, state),
  };
}

function ofThisHost(returncode: number, cause: string): TreeNode {
  const record = newRecord({ rawMeta: job, ...job });
  recordStart(record, 0, { cmd: 'yes', pid: 1, startedAt: 0, host: {} });
  recordEnd(record, 0, { endedAt: 1, returncode, stdout: 'y', stderr: '', cause });
  recordDone(record, 1);
  return record;
}

function ofAContainer(cause: string): TreeNode {
  const container = { target: { image: 'x' } };
  const record = newRecord({ rawMeta: { ...job, container }, ...job, container });
  record.touch(['cmdMgr'], '""');
  const ending = { currentState: 'finishedWithError', state: {}, cause };
  for (const [name, value] of Object.entries(ending)) record.touch(['container', name], value);
  recordStart(record, 0, { cmd: 'yes', startedAt: 0, host: {} });
  recordEnd(record, 0, { endedAt: 1, returncode: 0, stdout: '', stderr: '' });
  recordDone(record, 1);
  return record;
}

describe('a job that wrote more than it may', () => {
  const cause = overrunCause(1000, 'stdout', '0');
  it.each([
    ['was ended', ofThisHost(-15, cause), cause],
    ['was just about to end well', ofThisHost(0, cause), cause],
    ['ran in a container', ofAContainer(outputCause(1000)), outputCause(1000)],
  ])('has failed wherever it is told, and says why, when it %s', (_how, record, message) => {
    expect(told(record)).toEqual({
      ...{ lStatus: 'finishedWithError', listed: 'finishedWithError' },
      ...{ indexed: 'failed', state: 'failed' },
      reason: { code: 'output_limit', message },
    });
  });

  it('that a client has ended was killed, as another one', () => {
    const record = ofThisHost(-15, 'ended by a kill request (SIGTERM)');
    expect(told(record)).toMatchObject({ indexed: 'killed', state: 'killed' });
  });
});
