import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hostView } from '../../../../lib/jobs/jobView.ts';
import {
  type NewJob,
  newRecord,
  recordDone,
  recordDropped,
  recordEnd,
  recordLost,
  recordStart,
  type SubJobEnd,
} from '../../../../lib/records/record.ts';
import type { TreeNode } from '../../../../lib/tree/node.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';

const T0 = new Date(2026, 10, 22, 6, 35, 20).getTime();
const VERSION = '#1 SMP PREEMPT_DYNAMIC @0';
const HOST: JsonObject = {
  system: 'Linux',
  machine: 'x86_64',
  platform: 'Linux-6.1.0-sample-x86_64-with-glibc2.36',
  uname: ['Linux', 'samplehost', '6.1.0-sample', VERSION, 'x86_64', ''],
  version: VERSION,
};
const JOB: NewJob = {
  rawMeta: { cmd: 'echo hello world', auid: 'alice', jid: 'sample-1', threaded: true },
  cmd: 'echo hello world',
  auid: 'alice',
  jid: 'sample-1',
};

const start = (record: TreeNode, k: number, cmd = `part ${k}`) =>
  recordStart(record, k, { cmd, pid: 100 + k, startedAt: T0 + 165.434, host: HOST });
const end = (record: TreeNode, k: number, more: Partial<SubJobEnd> = {}) =>
  recordEnd(record, k, { endedAt: T0 + 167.204, returncode: 0, stdout: '', stderr: '', ...more });

describe('newRecord', () => {
  it('has what the original writes before the first sub-job starts', () => {
    expect(newRecord(JOB).toJson()).toEqual({
      d_meta: '{"cmd": "echo hello world", "auid": "alice", "jid": "sample-1", "threaded": true}',
      cmd: 'echo hello world',
      auid: 'alice',
      jid: 'sample-1',
      jobCount: 0,
      start: {},
      end: {},
    });
  });

  it('leaves empty names out', () => {
    const record = newRecord({ ...JOB, auid: '', jid: '' });
    expect([...record.leaves.keys()]).toEqual(['d_meta', 'cmd', 'jobCount']);
  });

  it('lays the container out as nodes', () => {
    const container = { manager: { image: 'fnndsc/swarm', env: {} }, target: { image: 'x' } };
    expect(
      newRecord({ ...JOB, container })
        .node(['container'])
        ?.toJson(),
    ).toEqual({
      manager: { image: 'fnndsc/swarm', env: { contents: null } },
      target: { image: 'x' },
    });
  });
});

describe('the record of a simple job', () => {
  /** The original's own record of this job (2.2.4), but for the place of `pid`, which it moves about. */
  const entry = {
    cmd: 'echo hello world',
    done: true,
    started: false,
    startTrigger: true,
    eventFunctionDone: false,
    ...HOST,
    startstamp: '2026-11-22 06:35:20.165434',
    pid: 100,
    endstamp: '2026-11-22 06:35:20.167204',
    doneTrigger: true,
    returncode: 0,
    stdout: 'hello world\n',
    stderr: '',
  };

  it('is that of the original, node for node', () => {
    const record = newRecord(JOB);
    start(record, 0, 'echo hello world');
    end(record, 0, { stdout: 'hello world\n' });
    recordDone(record, 1);
    expect(record.toJson()).toEqual({
      d_meta: newRecord(JOB).cat(['d_meta']),
      cmd: 'echo hello world',
      auid: 'alice',
      jid: 'sample-1',
      jobCount: 1,
      startInfo: { allJobsStarted: true },
      endInfo: { allJobsDone: true },
      start: { '0': { startInfo: { '0': entry } }, '1': { startInfo: { allJobsStarted: true } } },
      end: { '0': { endInfo: { '0': entry } }, '1': { endInfo: { allJobsDone: true } } },
    });
    const [written] = Object.values(record.cat(['end', '0', 'endInfo']) as JsonObject);
    expect(Object.keys(written as JsonObject)).toEqual(Object.keys(entry));
  });

  it('shows a start without an end while it runs', () => {
    const record = newRecord(JOB);
    start(record, 0, 'echo hello world');
    const { endstamp, doneTrigger, returncode, stdout, stderr, ...begun } = entry;
    const running = { '0': { ...begun, done: false, started: true } };
    expect(record.cat(['startInfo'])).toEqual(running);
    expect(record.cat(['start', '0', 'startInfo'])).toEqual(running);
    expect(record.cat(['endInfo'])).toBeUndefined();
    expect(record.cat(['jobCount'])).toBe(0);
    expect([...(record.node(['end'])?.children.keys() ?? [])]).toEqual([]);
  });
});

describe('the record of a compound job', () => {
  it('holds in epoch k the entries 0 to k, and a marker behind the last', () => {
    const code = fc.constantFrom(0, 1, 127, -9, null);
    const step = fc.record({ returncode: code, stdout: fc.string() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(12), (parts, ran) => {
        const record = newRecord(JOB);
        const count = Math.min(ran, parts.length);
        for (const [k, part] of parts.slice(0, count).entries()) {
          start(record, k);
          expect(Object.keys(record.cat(['startInfo']) as JsonObject)).toHaveLength(k + 1);
          end(record, k, part);
          expect(record.cat(['jobCount'])).toBe(k);
          expect(record.cat(['endInfo'])).toEqual(record.cat(['end', String(k), 'endInfo']));
          expect(record.cat(['startInfo'])).toEqual(record.cat(['start', String(k), 'startInfo']));
        }
        for (let k = 0; k < count; k += 1) {
          const ended = record.cat(['end', String(k), 'endInfo']) as JsonObject;
          expect(Object.keys(ended)).toEqual(Array.from({ length: k + 1 }, (_, i) => String(i)));
          // Once a sub-job has ended, the started entries show its end too.
          expect(record.cat(['start', String(k), 'startInfo'])).toEqual(ended);
          for (const [i, entry] of Object.entries(ended)) {
            expect(entry).toMatchObject({
              cmd: `part ${i}`,
              pid: 100 + Number(i),
              ...parts[Number(i)],
            });
          }
        }
        recordDone(record, count);
        expect(record.cat(['jobCount'])).toBe(count);
        expect(record.cat(['endInfo'])).toEqual({ allJobsDone: true });
        expect(record.cat(['startInfo'])).toEqual({ allJobsStarted: true });
        for (const [node, marker] of [
          ['start', { startInfo: { allJobsStarted: true } }],
          ['end', { endInfo: { allJobsDone: true } }],
        ] as const) {
          expect(record.node([node])?.children.size).toBe(count + 1);
          expect(record.node([node, String(count)])?.toJson()).toEqual(marker);
        }
      }),
    );
  });

  it('says why a sub-job ended, when it was not by itself', () => {
    const record = newRecord(JOB);
    start(record, 0);
    end(record, 0, { returncode: -15, cause: 'ended by a kill request (SIGTERM)' });
    expect(record.cat(['endInfo'])).toMatchObject({
      '0': { returncode: -15, cause: 'ended by a kill request (SIGTERM)' },
    });
  });
});

describe('recordLost', () => {
  it('closes the record and says the reason', () => {
    const record = newRecord(JOB);
    start(record, 0);
    recordLost(record, 1, 'the machine went down');
    expect(record.toJson()).toMatchObject({
      lost: 'the machine went down',
      jobCount: 1,
      endInfo: { allJobsDone: true },
      start: { '1': { startInfo: { allJobsStarted: true } } },
    });
  });
});

describe('recordDropped', () => {
  it('tells when a job ended of which nothing was run: no entry does', () => {
    const record = newRecord(JOB);
    recordDropped(record, 0, { cause: 'no room', endedAt: T0 });
    recordDropped(record, 0, { cause: 'no room', endedAt: T0 + 5000 });
    expect(record.toJson()).toMatchObject({
      ...{ cause: 'no room', endstamp: '2026-11-22 06:35:20.000000' },
      endInfo: { allJobsDone: true },
    });
    expect(hostView(record).endedAt).toBe(T0);
  });

  it('leaves that to the entries of the parts that were run', () => {
    const record = newRecord(JOB);
    start(record, 0);
    end(record, 0);
    recordDropped(record, 1, { cause: 'no more', endedAt: T0 + 5000 });
    expect(record.leaves.has('endstamp')).toBe(false);
    expect(hostView(record).endedAt).toBe(T0 + 167.204);
  });

  it('is not known of records that were closed without it', () => {
    const record = newRecord(JOB);
    recordDropped(record, 0, { cause: 'no room', endedAt: T0 });
    record.rm(['endstamp']);
    expect(hostView(record)).toMatchObject({ isDone: true, endedAt: null });
  });
});
