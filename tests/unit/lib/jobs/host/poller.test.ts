import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SpoolRequest } from '../../../../../crunner/detached/journal.ts';
import { outputShare, Poller } from '../../../../../lib/jobs/host/poller.ts';
import { progressOf } from '../../../../../lib/jobs/progress.ts';
import { silentLogger } from '../../../../../lib/log.ts';
import { JobDatabase } from '../../../../../lib/records/database.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import { newRecord } from '../../../../../lib/records/record.ts';
import { summaryOf } from '../../../../helpers/records.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const LIMIT_BYTES = 40_000;
const SSH = { target: { user: 'me', host: 'far', port: 2222 } };
const start = { pid: 5, startedAt: 1_700_000_000_000.25 };
const end = { endedAt: 1_700_000_001_000, returncode: 0, last: true };

let spool = '';
let database: JobDatabase;
let poller: Poller;
let root = '';

beforeEach(() => {
  const folder = join(tempDir(), 'db');
  spool = join(tempDir(), 'jobs');
  database = JobDatabase.open({
    ...{ folder, workFolder: `${folder}.spool`, fsync: false, summaryOf },
    log: silentLogger(),
  });
  poller = new Poller({ database, spool, outputLimitBytes: LIMIT_BYTES });
  root = newJobRoot(Date.now());
  mkdirSync(join(spool, root), { recursive: true });
  database.add(root, newRecord({ rawMeta: {}, cmd: 'a; b', auid: 'me', jid: 'j' }));
});
afterEach(() => database.close());

const requestOf = (parts: readonly string[], ssh?: SpoolRequest['ssh']): SpoolRequest => ({
  parts,
  owner: { job: {}, host: { system: 'Linux' } },
  ...(ssh && { ssh }),
});
const write = (file: string, text: string) => writeFileSync(join(spool, root, file), text);
const record = () => {
  const tree = database.tree(root);
  if (tree === undefined) throw new Error('there is no record');
  return { ...progressOf(tree), cause: tree.cat(['cause']), lost: tree.cat(['lost']) };
};

describe('the record of a job', () => {
  it('says where and when each sub-job has started', () => {
    poller.partStarted(root, requestOf(['a', 'b']), 0, start);
    expect(record().status).toBe('started');
    expect(record().entries).toMatchObject([{ cmd: 'a', pid: 5, system: 'Linux', started: true }]);
    expect(record().entries[0]).not.toHaveProperty('remoteHost');
  });

  it('has the outputs and the exit code of each sub-job that has ended', () => {
    const request = requestOf(['a', 'b']);
    poller.partStarted(root, request, 0, start);
    write('0.out', 'out\n');
    write('0.err', 'err\n');
    poller.partEnded(root, request, 0, { ...end, returncode: 3, last: false });
    expect(record()).toMatchObject({ status: 'started', returncodes: [3] });
    expect(record().entries).toMatchObject([{ stdout: 'out\n', stderr: 'err\n' }]);
    poller.partStarted(root, request, 1, start);
    poller.partEnded(root, request, 1, end);
    expect(record()).toMatchObject({ status: 'finishedWithError', returncodes: [3, 0] });
  });

  it('has empty outputs, and reads none, for a sub-job that the runner saw to write nothing', () => {
    const request = requestOf(['a']);
    poller.partStarted(root, request, 0, start);
    mkdirSync(join(spool, root, '0.out')); // cannot be read as a file
    poller.partEnded(root, request, 0, { ...end, silent: true });
    expect(record().entries).toMatchObject([{ stdout: '', stderr: '', returncode: 0 }]);
  });

  it('is lost when nobody knows how the last sub-job ended, and says why', () => {
    poller.partStarted(root, requestOf(['a']), 0, start);
    const cause = 'the process that watched it ended before it did';
    poller.partEnded(root, requestOf(['a']), 0, { ...end, returncode: null, cause });
    expect(record()).toMatchObject({ status: 'lost', lost: cause });
  });

  it('names the other host, and the process there once that is known', () => {
    const request = requestOf(['a'], SSH);
    poller.partStarted(root, request, 0, start);
    expect(record().entries).toMatchObject([{ remoteHost: 'far', remoteUser: 'me' }]);
    expect(record().entries[0]).not.toHaveProperty('pid_remote');
    const remote = { pid: 77, processGroup: 77, wrapperPid: 76, marker: 'm:' };
    const parts = [{ start: { ...start, remote } }];
    poller.catchUp(root, { request, parts });
    expect(record().entries).toMatchObject([{ pid_remote: 77, remotePort: 2222 }]);
  });

  it('holds head and tail of a long output', () => {
    const request = requestOf(['a']);
    poller.partStarted(root, request, 0, start);
    write('0.out', `first${'x'.repeat(3 * LIMIT_BYTES)}last`);
    poller.partEnded(root, request, 0, end);
    const stdout = String(record().entries[0]?.stdout);
    expect(stdout.startsWith('first')).toBe(true);
    expect(stdout.endsWith('last')).toBe(true);
    expect(stdout.length).toBeLessThan(LIMIT_BYTES + 200);
  });
});

describe('catching up with a journal', () => {
  it('writes down all that the record does not know', () => {
    const request = requestOf(['a', 'b']);
    poller.partStarted(root, request, 0, start);
    const parts = [
      { start, end: { ...end, returncode: 2, last: false } },
      { start, end },
    ];
    poller.catchUp(root, { request, parts });
    expect(record()).toMatchObject({ status: 'finishedWithError', returncodes: [2, 0] });
  });

  it('leaves the start of a sub-job as it is that the record knows', () => {
    const request = requestOf(['a']);
    poller.partStarted(root, request, 0, start);
    poller.catchUp(root, { request, parts: [{ start: { ...start, pid: 6 } }] });
    expect(record().entries).toMatchObject([{ pid: 5 }]);
  });

  it('closes the record of a job that is not to run any more, with the reason', () => {
    const request = requestOf(['a', 'b']);
    const parts = [{ start, end: { ...end, last: false } }];
    poller.catchUp(root, { request, parts, dropped: 'ended by a client' });
    expect(record()).toMatchObject({
      ...{ status: 'finishedWithError', returncodes: [0], cause: 'ended by a client' },
    });
  });

  it('leaves jobs alone that have no record', () => {
    poller.catchUp('nosuch', { request: requestOf(['a']), parts: [{ start, end }] });
    poller.dropped('nosuch', 'why');
    expect(database.has('nosuch')).toBe(false);
  });
});

describe('outputShare', () => {
  it('keeps a record of many sub-jobs within a few times the limit', () => {
    const total = (parts: number) => {
      let sum = 0;
      // Each epoch repeats the entries of all earlier ones, of two streams.
      for (let k = 1; k <= parts; k += 1) sum += 2 * k * outputShare(1_000_000, parts);
      return sum;
    };
    expect(outputShare(1_000_000, 1)).toBe(1_000_000);
    for (const parts of [2, 5, 10]) expect(total(parts)).toBeLessThanOrEqual(4_000_000);
  });

  it('leaves every sub-job something, and none more than the limit', () => {
    expect(outputShare(1_000_000, 64)).toBe(16 * 1024);
    expect(outputShare(1000, 64)).toBe(1000);
  });
});
