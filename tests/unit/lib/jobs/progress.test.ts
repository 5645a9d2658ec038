import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDone, progressOf } from '../../../../lib/jobs/progress.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordLost,
  recordStart,
} from '../../../../lib/records/record.ts';
import { TreeNode } from '../../../../lib/tree/node.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';

type Code = number | null;

function begun(): TreeNode {
  return newRecord({ rawMeta: {}, cmd: 'x', auid: 'a', jid: 'j' });
}
const start = (record: TreeNode, k: number) =>
  recordStart(record, k, { cmd: String(k), pid: 1, startedAt: 0, host: {} });
const end = (record: TreeNode, k: number, returncode: Code) =>
  recordEnd(record, k, { endedAt: 1, returncode, stdout: `out ${k}`, stderr: '' });

/** A record with these return codes, and one sub-job more that runs. */
function recordWith(codes: readonly Code[], { running = false, done = false } = {}): TreeNode {
  const record = begun();
  for (const [k, code] of codes.entries()) {
    start(record, k);
    end(record, k, code);
  }
  if (running) start(record, codes.length);
  if (done) recordDone(record, codes.length);
  return record;
}

/** A record as the original 2.2.4 writes it: epochs of whole entries. */
function recordOfOriginal(ended: readonly Code[], { started = ended.length, done = true } = {}) {
  const record = new TreeNode();
  const entry = (k: number): JsonObject => ({
    cmd: `part ${k}`,
    startTrigger: true,
    ...(k < ended.length ? { doneTrigger: true, returncode: ended[k] ?? null } : {}),
  });
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, k) => [k, entry(k)]));
  for (let k = 0; k < started; k += 1) {
    record.touch(['start', String(k), 'startInfo'], entries(k + 1));
    if (k < ended.length) record.touch(['end', String(k), 'endInfo'], entries(k + 1));
  }
  if (!done) return record;
  record.touch(['start', String(started), 'startInfo'], { allJobsStarted: true });
  record.touch(['end', String(started), 'endInfo'], { allJobsDone: true });
  record.touch(['endInfo'], { allJobsDone: true });
  return record;
}

describe('progressOf', () => {
  it.each([
    ['a job that waits', begun(), 'notstarted', 0, []],
    ['one whose first part runs', recordWith([], { running: true }), 'started', 1, []],
    ['one between two parts', recordWith([0]), 'started', 1, [0]],
    ['one whose second part runs', recordWith([0], { running: true }), 'started', 2, [0]],
    ['one that failed and goes on', recordWith([1], { running: true }), 'started', 2, [1]],
    ['a good one', recordWith([0, 0], { done: true }), 'finishedSuccessfully', 2, [0, 0]],
    ['a failed one', recordWith([3], { done: true }), 'finishedWithError', 1, [3]],
    [
      'one that failed at first',
      recordWith([1, 0], { done: true }),
      'finishedWithError',
      2,
      [1, 0],
    ],
    [
      'one that failed later',
      recordWith([0, 2, 0], { done: true }),
      'finishedWithError',
      3,
      [0, 2, 0],
    ],
    ['a killed one', recordWith([-15], { done: true }), 'finishedWithError', 1, [-15]],
    ['one of unknown end', recordWith([null], { done: true }), 'finishedWithError', 1, [null]],
    ["the original's sample 1", recordOfOriginal([0]), 'finishedSuccessfully', 1, [0]],
    ["the original's sample 2", recordOfOriginal([0, 2, 0]), 'finishedWithError', 3, [0, 2, 0]],
    ["the original's sample 3", recordOfOriginal([0, 3]), 'finishedWithError', 2, [0, 3]],
    [
      "the original's running sample",
      recordOfOriginal([], { started: 1, done: false }),
      'started',
      1,
      [],
    ],
    ['an empty record', new TreeNode(), 'notstarted', 0, []],
  ])('says of %s how far it is', (_, record, status, started, returncodes) => {
    const progress = progressOf(record);
    expect(progress.status).toBe(status);
    expect(progress.started).toEqual(Array(started).fill(true));
    expect(progress.returncodes).toEqual(returncodes);
    expect(progress.entries).toHaveLength(started);
    expect(isDone(record)).toBe(status.startsWith('finished'));
  });

  it('says that a job is lost, whatever its return codes say', () => {
    const record = recordWith([0], { running: true });
    recordLost(record, 2, 'reason');
    expect(progressOf(record)).toMatchObject({ status: 'lost', started: [true, true] });
    expect(isDone(record)).toBe(true);
  });

  it('does not take a leaf of the job for an end', () => {
    const record = recordWith([], { running: true });
    record.touch(['endInfo'], { allJobsDone: false });
    expect(progressOf(record).status).toBe('started');
    record.touch(['endInfo'], 'allJobsDone');
    expect(progressOf(record).status).toBe('started');
  });

  it.each([
    'ended by a kill request of me (SIGTERM)',
    'time limit 2 s (SIGTERM)',
    'more than 10 bytes on stdout of sub-job 0 (SIGTERM)',
  ])(
    'says that a job has not succeeded whose part ended with 0, but not by itself: %s',
    (cause) => {
      const record = begun();
      start(record, 0);
      recordEnd(record, 0, { endedAt: 1, returncode: 0, stdout: '', stderr: '', cause });
      recordDone(record, 1);
      expect(progressOf(record)).toMatchObject({ status: 'finishedWithError', returncodes: [0] });
    },
  );

  it('keeps the order of more than ten parts, and shows the newest state of each', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, -9), { maxLength: 25 }), (codes) => {
        const { entries, returncodes } = progressOf(recordWith(codes, { running: true }));
        expect(returncodes).toEqual(codes);
        expect(entries.map(({ cmd }) => cmd)).toEqual(
          Array.from({ length: codes.length + 1 }, (_, k) => String(k)),
        );
        expect(entries.slice(0, -1).map(({ stdout }) => stdout)).toEqual(
          codes.map((_, k) => `out ${k}`),
        );
        expect(entries.at(-1)?.done).toBe(false);
      }),
    );
  });

  it.each([[1], ['x'], [[]], [null], [{ '0': 'x' }], [{ '0': { doneTrigger: true } }]])(
    'is not put off by an end that reads %j',
    (endInfo) => {
      const record = begun();
      record.touch(['end', '0', 'endInfo'], endInfo);
      record.touch(['start', 'x', 'startInfo'], 5);
      expect(progressOf(record).status).toBe('notstarted');
    },
  );
});
