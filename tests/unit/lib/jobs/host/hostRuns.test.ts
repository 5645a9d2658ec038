import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readSpool } from '../../../../../crunner/detached/spool.ts';
import { PmanError } from '../../../../../lib/errors.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import {
  acceptedJobs,
  folderOf,
  handedOver,
  host,
  KILL,
  open,
  recordOf,
  submit,
  submitMany,
} from '../../../../helpers/hostJobsOnFakeRunner.ts';

describe('the order of jobs', () => {
  it('runs as many as it may, and lets the others wait in the order in which they came', async () => {
    const roots = await submitMany(5);
    expect(handedOver()).toEqual(roots.slice(0, 2));
    expect(host.jobs.counts).toEqual({ running: 2, waiting: 3 });
    expect(roots.map((root) => host.jobs.place(root))).toEqual([undefined, undefined, 1, 2, 3]);
    host.runner.starts(roots[1]);
    host.runner.ends(roots[1]);
    expect(handedOver()).toEqual(roots.slice(0, 3));
    host.runner.ends(roots[0]);
    expect(handedOver()).toEqual(roots.slice(0, 4));
    expect(host.jobs.place(roots[4] ?? '')).toBe(1);
  });

  it('starts nothing in place of a job that has more sub-jobs to run', async () => {
    const roots = await submitMany(3);
    host.runner.starts(roots[0]);
    host.runner.ends(roots[0], { last: false });
    expect(handedOver()).toHaveLength(2);
  });

  it('tells who waits for a job that it has ended, and those who ask later', async () => {
    const root = await submit();
    let hasEnded = false;
    const ended = host.jobs.ended(root).then(() => {
      hasEnded = true;
    });
    host.runner.starts(root);
    await Promise.resolve();
    expect(hasEnded).toBe(false);
    host.runner.ends(root);
    await ended;
    await host.jobs.ended(root);
    expect(host.jobs.isActive(root)).toBe(false);
  });
});

describe('a job that waits', () => {
  it('is a line in a file that many share, and gets a folder when it starts', async () => {
    const [first, second, third, fourth] = await submitMany(4);
    expect([...acceptedJobs().keys()]).toEqual([third, fourth]);
    expect(existsSync(folderOf(third))).toBe(false);
    host.runner.ends(first);
    expect(readSpool(folderOf(third))?.request).toMatchObject({ parts: ['job 2'] });
    // Both tell of it until its own journal says that it has begun.
    expect([...acceptedJobs().keys()]).toEqual([third, fourth]);
    host.runner.starts(third);
    expect([...acceptedJobs().keys()]).toEqual([fourth]);
    host.runner.ends(second);
    host.runner.starts(fourth ?? '');
    expect([...acceptedJobs().keys()]).toEqual([]);
  });

  it('has a folder at once where it has an input', async () => {
    await submitMany(2);
    const root = await submit('cat', { stdin: 'in' }, { stdin: 'in' });
    expect(existsSync(join(folderOf(root), 'stdin'))).toBe(true);
    expect([...acceptedJobs().keys()]).toEqual([]);
  });
});

describe('kill', () => {
  it('takes a job that waits out of the queue: it never runs, now or later', async () => {
    const roots = await submitMany(4);
    await expect(host.jobs.kill(roots[2], KILL)).resolves.toBe(true);
    expect(acceptedJobs().get(roots[2])?.dropped).toBe('ended by a client before it started');
    expect(recordOf(roots[2])).toMatchObject({
      status: 'finishedWithError',
      cause: 'ended by a client before it started',
    });
    host.runner.ends(roots[0]);
    expect(handedOver()).toEqual([roots[0], roots[1], roots[3]]);
    await host.database.save();
    await eventually(() => !acceptedJobs().has(roots[2]), { message: 'the record to be enough' });
  });

  it('writes the order down before the runner gets it', async () => {
    const root = await submit();
    host.runner.starts(root);
    let written: unknown;
    const { kill } = host.runner;
    jest.spyOn(host.runner, 'kill').mockImplementation(async (folder, request) => {
      written = readSpool(folder)?.kill;
      await kill.call(host.runner, folder, request);
    });
    await expect(host.jobs.kill(root, KILL)).resolves.toBe(true);
    expect(written).toEqual(KILL);
    expect(host.runner.orders.at(-1)).toBe(`kill ${root} SIGTERM`);
    expect(host.jobs.isActive(root)).toBe(true);
  });

  it('has nothing to end of a job that has ended, or is none', async () => {
    const root = await submit();
    host.runner.ends(root);
    await expect(host.jobs.kill(root, KILL)).resolves.toBe(false);
    await expect(host.jobs.kill('nosuch', KILL)).resolves.toBe(false);
  });

  it('ends all jobs, and waits for those that run', async () => {
    const roots = await submitMany(3);
    let isOver = false;
    const over = host.jobs.endAll(KILL).then(() => {
      isOver = true;
    });
    await eventually(
      () => host.runner.orders.filter((order) => order.startsWith('kill')).length === 2,
    );
    expect(isOver).toBe(false);
    for (const root of roots.slice(0, 2)) host.runner.ends(root, { returncode: -15 });
    await over;
    expect(host.jobs.counts).toEqual({ running: 0, waiting: 0 });
  });
});

describe('what the runner tells', () => {
  it('is left out when it is about a job that is none', async () => {
    const root = await submit();
    mkdirSync(folderOf('nosuch'));
    host.runner.starts('nosuch');
    host.runner.ends('nosuch');
    expect(host.jobs.counts).toEqual({ running: 1, waiting: 0 });
    expect(recordOf(root).status).toBe('notstarted');
  });

  it('is in the record at once', async () => {
    const root = await submit();
    host.runner.starts(root);
    expect(recordOf(root).status).toBe('started');
    writeFileSync(join(folderOf(root), '0.out'), 'hello\n');
    host.runner.ends(root, { returncode: 3 });
    expect(recordOf(root)).toMatchObject({ status: 'finishedWithError', returncodes: [3] });
    expect(recordOf(root).entries).toMatchObject([{ stdout: 'hello\n' }]);
    await host.database.save();
    await eventually(() => readSpool(folderOf(root)) === undefined, { message: 'no journal' });
  });
});

describe('the regular look at the spool', () => {
  beforeEach(() => {
    host.jobs.close();
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
    host.runner.starts(roots[0]);
    host.runner.endsUntold(roots[0], { returncode: 7 });
    expect(host.jobs.isActive(roots[0])).toBe(true);
    jest.advanceTimersByTime(5000);
    await host.jobs.ended(roots[0]);
    expect(recordOf(roots[0])).toMatchObject({ status: 'finishedWithError', returncodes: [7] });
    expect(handedOver()).toContain(roots[2]);
  });

  it('asks the runner again for the jobs that run: it may not have heard of them', async () => {
    const [root] = await submitMany(1);
    jest.advanceTimersByTime(5000);
    await eventually(() => handedOver().length === 2);
    expect(handedOver()).toEqual([root, root]);
  });

  it('looks for a runner when there was none: who is told so sends no job that would', async () => {
    host.runner.refusal = new PmanError('unavailable', 'no runner can be started');
    const root = await submit();
    await host.jobs.ended(root);
    expect(await host.jobs.readiness()).toEqual({
      ...{ state: 'failing', problem: 'the runner cannot be started' },
    });
    jest.advanceTimersByTime(5000);
    await eventually(() => host.runner.orders.at(-1) === 'reach');
    expect(await host.jobs.readiness()).toEqual({
      ...{ state: 'failing', problem: 'the runner cannot be started' },
    });
    host.runner.refusal = undefined;
    jest.advanceTimersByTime(5000);
    await eventually(async () => (await host.jobs.readiness()).state === 'ready');
  });

  it('looks for a runner also when the one that went had done all its jobs', async () => {
    const root = await submit();
    host.runner.starts(root);
    host.runner.endsUntold(root);
    host.runner.goes();
    expect(await host.jobs.readiness()).toEqual({
      state: 'failing',
      problem: 'the runner is gone',
    });
    jest.advanceTimersByTime(5000);
    await eventually(async () => (await host.jobs.readiness()).state === 'ready');
  });

  it('tries again to give a job its folder, which the disk has refused', async () => {
    const [first, second, third] = await submitMany(3);
    rmSync(host.spool, { recursive: true });
    writeFileSync(host.spool, '');
    host.runner.endsUnwritten(first);
    expect(handedOver()).toEqual([first, second]);
    expect(host.jobs.isActive(third)).toBe(true);
    rmSync(host.spool);
    mkdirSync(host.spool);
    jest.advanceTimersByTime(5000);
    await eventually(() => handedOver().includes(third));
    expect(readSpool(folderOf(third))?.request).toMatchObject({ parts: ['job 2'] });
  });

  it('ends a job that the disk gives no folder when it is to end', async () => {
    const [first, , third] = await submitMany(3);
    rmSync(host.spool, { recursive: true });
    writeFileSync(host.spool, '');
    host.runner.endsUnwritten(first);
    expect(host.jobs.counts).toEqual({ running: 2, waiting: 0 });
    await expect(host.jobs.kill(third, KILL)).resolves.toBe(true);
    expect(recordOf(third).cause).toBe('ended by a client before it started');
    rmSync(host.spool);
    mkdirSync(host.spool);
    jest.advanceTimersByTime(5000);
    expect(handedOver()).not.toContain(third);
  });

  it('tries again what could not be handed over for want of open files', async () => {
    host.runner.refusal = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    const root = await submit();
    await Promise.resolve();
    expect(host.jobs.isActive(root)).toBe(true);
    host.runner.refusal = undefined;
    jest.advanceTimersByTime(5000);
    await eventually(() => handedOver().length === 2);
    host.runner.ends(root);
    expect(recordOf(root).status).toBe('finishedSuccessfully');
  });
});

describe('a runner that has gone', () => {
  it('is followed by one that gets its jobs', async () => {
    const roots = await submitMany(3);
    host.runner.starts(roots[0]);
    host.runner.orders.length = 0;
    host.runner.goes();
    expect(handedOver()).toHaveLength(2);
    expect(handedOver()).toContain(roots[0]);
    expect(host.jobs.counts).toEqual({ running: 2, waiting: 1 });
  });

  it('has left ends that nobody told of', async () => {
    const roots = await submitMany(3);
    host.runner.starts(roots[0]);
    host.runner.endsUntold(roots[0]);
    host.runner.goes();
    expect(recordOf(roots[0]).status).toBe('finishedSuccessfully');
    expect(handedOver()).toContain(roots[2]);
  });

  it('is followed by one that gets the orders to end jobs, too', async () => {
    const root = await submit();
    host.runner.starts(root);
    await host.jobs.kill(root, KILL);
    host.runner.orders.length = 0;
    host.runner.goes();
    expect(host.runner.orders).toEqual([`run ${root}`, `kill ${root} SIGTERM`]);
  });

  it('is missed by nobody once the server closes', async () => {
    await submit();
    host.jobs.close();
    host.runner.orders.length = 0;
    host.runner.goes();
    expect(host.runner.orders).toEqual([]);
    expect(host.runner.isClosed).toBe(true);
  });
});
