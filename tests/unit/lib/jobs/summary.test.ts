import { describe, expect, it } from '@jest/globals';
import {
  newContainerRecord,
  recordScheduled,
} from '../../../../lib/jobs/container/containerRecord.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordLost,
  recordStart,
} from '../../../../lib/records/record.ts';
import { TreeNode } from '../../../../lib/tree/node.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';
import { summaryOf } from '../../../helpers/records.ts';

const sent = (rawMeta: JsonObject = {}) =>
  newRecord({ rawMeta: { cmd: 'true', ...rawMeta }, cmd: 'true', auid: 'me', jid: 'j' });

describe('summaryOf', () => {
  it('has no status before the job has ended', () => {
    const record = sent();
    expect(summaryOf(record)).toEqual({ jid: 'j', auid: 'me', cmd: 'true' });
    recordStart(record, 0, { cmd: 'true', pid: 1, startedAt: 0, host: {} });
    expect(summaryOf(record)).toEqual({ jid: 'j', auid: 'me', cmd: 'true' });
  });

  it.each([
    [0, 'finishedSuccessfully'],
    [3, 'finishedWithError'],
    [null, 'finishedWithError'],
  ] as const)('tells that a job has ended with %j: %s', (returncode, status) => {
    const record = sent();
    recordStart(record, 0, { cmd: 'true', pid: 1, startedAt: 0, host: {} });
    recordEnd(record, 0, { endedAt: 1, returncode, stdout: '', stderr: '' });
    recordDone(record, 1);
    expect(summaryOf(record).status).toBe(status);
  });

  it('tells that a job is lost', () => {
    const record = sent();
    recordLost(record, 0, 'gone');
    expect(summaryOf(record).status).toBe('lost');
  });

  describe('of how a job has ended', () => {
    const ended = (returncode: number | null, cause?: string) => {
      const record = sent();
      recordStart(record, 0, { cmd: 'true', pid: 1, startedAt: 1000.25, host: {} });
      const how = { endedAt: 2000.75, returncode, stdout: '', stderr: '' };
      recordEnd(record, 0, { ...how, ...(cause === undefined ? {} : { cause }) });
      recordDone(record, 1);
      return summaryOf(record);
    };
    const times = { startUs: 1_000_250, endUs: 2_000_750 };
    const killed = 'ended by a kill request (SIGTERM)';

    it('has what a list shows', () => {
      expect(ended(0)).toMatchObject({ state: 'succeeded', exit: 0, ...times });
      expect(ended(0)).not.toHaveProperty('code');
      expect(ended(3)).toMatchObject({ state: 'failed', exit: 3, ...times, code: 'exit_code' });
      expect(ended(3)).not.toHaveProperty('cause');
      const end = { state: 'killed', exit: -15, ...times, code: 'killed', cause: killed };
      expect(ended(-15, killed)).toMatchObject(end);
      expect(ended(null)).toMatchObject({ exit: null, ...times });
    });

    it('has no times of a job that nobody saw start', () => {
      const record = sent();
      recordLost(record, 0, 'gone');
      const lost = summaryOf(record);
      expect(lost).toMatchObject({ state: 'lost', exit: null, code: 'lost', cause: 'gone' });
      expect(Object.keys(lost)).not.toEqual(expect.arrayContaining(['startUs']));
    });

    it.each([
      ['a cause that is long', ended(1, 'x'.repeat(257))],
      ['an exit code that no system has', ended(1.5)],
      ['one that is too large', ended(2 ** 31)],
    ])('leaves it to the record where that has %s', (_what, summary) => {
      expect(summary.state).toBe('failed');
      for (const name of ['exit', 'startUs', 'endUs', 'code', 'cause']) {
        expect(summary).not.toHaveProperty(name);
      }
    });
  });

  it('knows a key, and whether it was sent with the same', () => {
    const one = summaryOf(sent({ key: 'k', a: [1, { b: 2 }] }));
    expect(one.key).toBe('k');
    expect(summaryOf(sent({ key: 'k', a: [1, { b: 2 }] })).digest).toBe(one.digest);
    expect(summaryOf(sent({ key: 'k', a: [1, { b: 3 }] })).digest).not.toBe(one.digest);
  });

  it('knows the request of a container job again, whatever its manager has printed since', () => {
    const container = { target: { image: 'busybox' } };
    const job = { meta: { key: 'k', cmd: 'true', container }, container, cmd: 'true' };
    const ids = { auid: 'me', jid: 'j' };
    const record = newContainerRecord({ ...job, ...ids, cmdMgr: 'swarm -m /share' });
    const { key, digest } = summaryOf(record);
    expect(key).toBe('k');
    const times = { startedAt: 0, endedAt: 1, host: {} };
    recordScheduled(record, { ...job, ...ids, cmdMgr: 'x -m /y' }, { printed: 'made', ...times });
    expect(summaryOf(record).digest).toBe(digest);
    const other = { ...job, meta: { ...job.meta, cmd: 'false' } };
    expect(summaryOf(newContainerRecord({ ...other, ...ids, cmdMgr: '' })).digest).not.toBe(digest);
  });

  it.each([{}, { key: 1 }, { key: null }, { other: '"key"' }, { a: { key: 'k' } }])(
    'finds no key in %j',
    (meta) => {
      expect(summaryOf(sent(meta))).toEqual({ jid: 'j', auid: 'me', cmd: 'true' });
    },
  );

  it('makes do with a record that lacks everything, or holds a meta that is no JSON', () => {
    expect(summaryOf(new TreeNode())).toEqual({ cmd: '' });
    const record = new TreeNode();
    record.touch(['d_meta'], '{"key": "k"');
    expect(summaryOf(record)).toEqual({ cmd: '' });
  });
});
