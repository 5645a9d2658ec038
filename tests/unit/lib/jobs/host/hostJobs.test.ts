import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createSpool, readSpool, writeLine } from '../../../../../crunner/detached/spool.ts';
import { PmanError } from '../../../../../lib/errors.ts';
import { HostJobs } from '../../../../../lib/jobs/host/hostJobs.ts';
import { SshHosts } from '../../../../../lib/jobs/host/sshHosts.ts';
import { progressOf } from '../../../../../lib/jobs/progress.ts';
import { silentLogger } from '../../../../../lib/log.ts';
import { JobDatabase } from '../../../../../lib/records/database.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import { newRecord } from '../../../../../lib/records/record.ts';
import type { JsonObject } from '../../../../../lib/wire/json.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import { FakeRunner } from '../../../../helpers/fakeRunner.ts';
import { summaryOf } from '../../../../helpers/records.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const MAX_JOBS = 2;
const KILL = { signal: 'SIGTERM', graceMs: 1000, cause: 'ended by a client' } as const;

let spool = '';
let database: JobDatabase;
let jobs: HostJobs;
let runner: FakeRunner;

/** A server's host jobs on the folders that there are. */
function open(): void {
  jobs = new HostJobs({
    ...{ database, spool, maxJobs: MAX_JOBS, fsync: false, outputLimitBytes: 1000 },
    sshHosts: new SshHosts({ hosts: [], identity: undefined, knownHosts: undefined }),
    log: silentLogger(),
    connect: (options) => {
      runner = new FakeRunner(options);
      return runner;
    },
  });
}

beforeEach(() => {
  const folder = join(tempDir(), 'db');
  const workFolder = `${folder}.spool`;
  database = JobDatabase.open({ folder, workFolder, fsync: false, summaryOf, log: silentLogger() });
  spool = join(workFolder, 'jobs');
  mkdirSync(spool);
  open();
});

afterEach(async () => {
  jobs.close();
  await database.close();
});

const jobOf = (cmd: string, rawMeta: JsonObject = {}) => ({
  ...{ cmd, auid: 'me', jid: cmd },
  rawMeta: { cmd, auid: 'me', jid: cmd, ...rawMeta },
  limits: {},
});
const submit = (cmd = 'true', rawMeta: JsonObject = {}) => jobs.submit(jobOf(cmd, rawMeta));
const submitMany = async (count: number) => {
  const roots: string[] = [];
  for (let k = 0; k < count; k += 1) roots.push(await submit(`job ${k}`));
  return roots as [string, string, string, ...string[]];
};
const folderOf = (root: string) => join(spool, root);
const recordOf = (root: string) => {
  const tree = database.tree(root);
  if (tree === undefined) throw new Error(`there is no record of ${root}`);
  return { ...progressOf(tree), cause: tree.cat(['cause']) };
};
/** The jobs that the runner was asked to run, in order. */
const handedOver = () =>
  runner.orders.filter((order) => order.startsWith('run ')).map((order) => order.slice(4));

describe('the order of jobs', () => {
  it('runs as many as it may, and lets the others wait in the order in which they came', async () => {
    const roots = await submitMany(5);
    expect(handedOver()).toEqual(roots.slice(0, 2));
    expect(jobs.counts).toEqual({ running: 2, waiting: 3 });
    expect(roots.map((root) => jobs.place(root))).toEqual([undefined, undefined, 1, 2, 3]);
    runner.starts(roots[1]);
    runner.ends(roots[1]);
    expect(handedOver()).toEqual(roots.slice(0, 3));
    runner.ends(roots[0]);
    expect(handedOver()).toEqual(roots.slice(0, 4));
    expect(jobs.place(roots[4] ?? '')).toBe(1);
  });

  it('starts nothing in place of a job that has more sub-jobs to run', async () => {
    const roots = await submitMany(3);
    runner.starts(roots[0]);
    runner.ends(roots[0], { last: false });
    expect(handedOver()).toHaveLength(2);
  });

  it('tells who waits for a job that it has ended, and those who ask later', async () => {
    const root = await submit();
    let hasEnded = false;
    const ended = jobs.ended(root).then(() => {
      hasEnded = true;
    });
    runner.starts(root);
    await Promise.resolve();
    expect(hasEnded).toBe(false);
    runner.ends(root);
    await ended;
    await jobs.ended(root);
    expect(jobs.isActive(root)).toBe(false);
  });
});

describe('submit', () => {
  it('has the job in its journal when it resolves', async () => {
    const root = await submit('echo a; echo b');
    expect(readSpool(folderOf(root))?.request).toMatchObject({
      parts: ['echo a', ' echo b'],
      owner: { job: { cmd: 'echo a; echo b' } },
    });
    expect(recordOf(root)).toMatchObject({ status: 'notstarted' });
  });

  it('takes two requests with one key for one job', async () => {
    const [first, second] = await Promise.all([
      submit('true', { key: 'k' }),
      submit('true', { key: 'k' }),
    ]);
    expect(second).toBe(first);
    expect(handedOver()).toEqual([first]);
    await expect(submit('false', { key: 'k' })).rejects.toMatchObject({ code: 'conflict' });
    expect(handedOver()).toEqual([first]);
  });

  it('takes nothing in that the disk does not take', async () => {
    rmSync(spool, { recursive: true });
    writeFileSync(spool, '');
    await expect(submit()).rejects.toMatchObject({ code: 'storage' });
    expect(database.roots()).toEqual([]);
    expect(jobs.counts).toEqual({ running: 0, waiting: 0 });
    rmSync(spool);
    mkdirSync(spool);
  });

  it('closes a job for which no runner can be had, and says why', async () => {
    runner.refusal = new PmanError('unavailable', 'the process that runs jobs cannot be started');
    const root = await submit();
    await jobs.ended(root);
    expect(recordOf(root)).toMatchObject({
      status: 'finishedWithError',
      cause: 'the process that runs jobs cannot be started',
    });
  });
});

describe('kill', () => {
  it('takes a job that waits out of the queue: it never runs, now or later', async () => {
    const roots = await submitMany(4);
    await expect(jobs.kill(roots[2], KILL)).resolves.toBe(true);
    expect(readSpool(folderOf(roots[2]))?.dropped).toBe('ended by a client before it started');
    expect(recordOf(roots[2])).toMatchObject({
      status: 'finishedWithError',
      cause: 'ended by a client before it started',
    });
    runner.ends(roots[0]);
    expect(handedOver()).toEqual([roots[0], roots[1], roots[3]]);
  });

  it('writes the order down before the runner gets it', async () => {
    const root = await submit();
    runner.starts(root);
    let written: unknown;
    const { kill } = runner;
    jest.spyOn(runner, 'kill').mockImplementation(async (folder, request) => {
      written = readSpool(folder)?.kill;
      await kill.call(runner, folder, request);
    });
    await expect(jobs.kill(root, KILL)).resolves.toBe(true);
    expect(written).toEqual(KILL);
    expect(runner.orders.at(-1)).toBe(`kill ${root} SIGTERM`);
    expect(jobs.isActive(root)).toBe(true);
  });

  it('has nothing to end of a job that has ended, or is none', async () => {
    const root = await submit();
    runner.ends(root);
    await expect(jobs.kill(root, KILL)).resolves.toBe(false);
    await expect(jobs.kill('nosuch', KILL)).resolves.toBe(false);
  });

  it('ends all jobs, and waits for those that run', async () => {
    const roots = await submitMany(3);
    let isOver = false;
    const over = jobs.endAll(KILL).then(() => {
      isOver = true;
    });
    await eventually(() => runner.orders.filter((order) => order.startsWith('kill')).length === 2);
    expect(isOver).toBe(false);
    for (const root of roots.slice(0, 2)) runner.ends(root, { returncode: -15 });
    await over;
    expect(jobs.counts).toEqual({ running: 0, waiting: 0 });
  });
});

describe('what the runner tells', () => {
  it('is left out when it is about a job that is none', async () => {
    const root = await submit();
    mkdirSync(folderOf('nosuch'));
    runner.starts('nosuch');
    runner.ends('nosuch');
    expect(jobs.counts).toEqual({ running: 1, waiting: 0 });
    expect(recordOf(root).status).toBe('notstarted');
  });

  it('is in the record at once', async () => {
    const root = await submit();
    runner.starts(root);
    expect(recordOf(root).status).toBe('started');
    writeFileSync(join(folderOf(root), '0.out'), 'hello\n');
    runner.ends(root, { returncode: 3 });
    expect(recordOf(root)).toMatchObject({ status: 'finishedWithError', returncodes: [3] });
    expect(recordOf(root).entries).toMatchObject([{ stdout: 'hello\n' }]);
    await database.save();
    await eventually(() => readSpool(folderOf(root)) === undefined, { message: 'no journal' });
  });
});

describe('the regular look at the spool', () => {
  beforeEach(() => {
    jobs.close();
    jest.useFakeTimers({
      doNotFake: ['Date', 'performance', 'nextTick', 'setImmediate', 'setTimeout'],
    });
    open();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('finds an end that nobody told of, and lets the next job run', async () => {
    const roots = await submitMany(3);
    runner.starts(roots[0]);
    runner.endsUntold(roots[0], { returncode: 7 });
    expect(jobs.isActive(roots[0])).toBe(true);
    jest.advanceTimersByTime(5000);
    await jobs.ended(roots[0]);
    expect(recordOf(roots[0])).toMatchObject({ status: 'finishedWithError', returncodes: [7] });
    expect(handedOver()).toContain(roots[2]);
  });

  it('asks the runner again for the jobs that run: it may not have heard of them', async () => {
    const [root] = await submitMany(1);
    jest.advanceTimersByTime(5000);
    await eventually(() => handedOver().length === 2);
    expect(handedOver()).toEqual([root, root]);
  });

  it('tries again what could not be handed over for want of open files', async () => {
    runner.refusal = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    const root = await submit();
    await Promise.resolve();
    expect(jobs.isActive(root)).toBe(true);
    runner.refusal = undefined;
    jest.advanceTimersByTime(5000);
    await eventually(() => handedOver().length === 2);
    runner.ends(root);
    expect(recordOf(root).status).toBe('finishedSuccessfully');
  });
});

describe('a runner that has gone', () => {
  it('is followed by one that gets its jobs', async () => {
    const roots = await submitMany(3);
    runner.starts(roots[0]);
    runner.orders.length = 0;
    runner.goes();
    expect(handedOver()).toHaveLength(2);
    expect(handedOver()).toContain(roots[0]);
    expect(jobs.counts).toEqual({ running: 2, waiting: 1 });
  });

  it('has left ends that nobody told of', async () => {
    const roots = await submitMany(3);
    runner.starts(roots[0]);
    runner.endsUntold(roots[0]);
    runner.goes();
    expect(recordOf(roots[0]).status).toBe('finishedSuccessfully');
    expect(handedOver()).toContain(roots[2]);
  });

  it('is followed by one that gets the orders to end jobs, too', async () => {
    const root = await submit();
    runner.starts(root);
    await jobs.kill(root, KILL);
    runner.orders.length = 0;
    runner.goes();
    expect(runner.orders).toEqual([`run ${root}`, `kill ${root} SIGTERM`]);
  });

  it('is missed by nobody once the server closes', async () => {
    await submit();
    jobs.close();
    runner.orders.length = 0;
    runner.goes();
    expect(runner.orders).toEqual([]);
    expect(runner.isClosed).toBe(true);
  });
});

describe('the next server', () => {
  /** A job as an earlier server has left it. */
  const leave = (cmd: string, ...parts: string[]) => {
    const root = newJobRoot(Date.now());
    const owner = { job: jobOf(cmd), host: { system: 'Linux' } };
    createSpool(folderOf(root), { parts: parts.length === 0 ? [cmd] : parts, owner });
    database.add(root, newRecord(owner.job));
    return root;
  };
  const start = { pid: 5, startedAt: 1_700_000_000_000 };
  const end = { endedAt: 1_700_000_001_000, returncode: 0, last: true };

  it('runs what waited, and goes on with what had begun, whatever its turn', async () => {
    const roots = [leave('a'), leave('b'), leave('c')] as const;
    writeLine(folderOf(roots[2]), { part: 0, start }, false);
    await jobs.recover();
    expect(runner.orders[0]).toBe('find');
    expect(new Set(handedOver())).toEqual(new Set(roots));
    expect(jobs.counts).toEqual({ running: 3, waiting: 0 });
    expect(recordOf(roots[2])).toMatchObject({ status: 'started' });
  });

  it('writes down how jobs have ended meanwhile', async () => {
    const root = leave('a; b', 'a', 'b');
    for (const part of [0, 1]) {
      writeLine(folderOf(root), { part, start }, false);
      writeLine(folderOf(root), { part, end: { ...end, last: part === 1 } }, false);
    }
    await jobs.recover();
    expect(recordOf(root)).toMatchObject({ status: 'finishedSuccessfully', returncodes: [0, 0] });
    expect(handedOver()).toEqual([]);
  });

  it('does not run what was not to run', async () => {
    const root = leave('a');
    writeLine(folderOf(root), { dropped: 'ended by a client before it started' }, false);
    await jobs.recover();
    expect(handedOver()).toEqual([]);
    expect(recordOf(root)).toMatchObject({
      status: 'finishedWithError',
      cause: 'ended by a client before it started',
    });
  });

  it('keeps to an order to end a job', async () => {
    const root = leave('a');
    writeLine(folderOf(root), { part: 0, start }, false);
    writeLine(folderOf(root), { kill: KILL }, false);
    await jobs.recover();
    expect(runner.orders).toEqual(['find', `run ${root}`, `kill ${root} SIGTERM`]);
  });

  it('takes a line that a crash has cut for none, and adds nothing to it', async () => {
    const root = leave('a');
    appendFileSync(join(folderOf(root), 'job.jsonl'), '{"part":0,"sta');
    await jobs.recover();
    runner.starts(root);
    expect(readSpool(folderOf(root))?.parts).toMatchObject([{ start: { pid: 1000 } }]);
  });

  it('removes what is left of a job without a record, and closes a record without a journal', async () => {
    const unknown = newJobRoot(Date.now());
    mkdirSync(folderOf(unknown));
    const root = leave('a');
    writeFileSync(join(folderOf(root), 'job.jsonl'), 'garbled\n');
    await jobs.recover();
    expect(existsSync(folderOf(unknown))).toBe(false);
    expect(existsSync(join(folderOf(root), 'job.jsonl'))).toBe(false);
    expect(recordOf(root).status).toBe('lost');
  });
});
