import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readSpool } from '../../../../../crunner/detached/spool.ts';
import { PmanError } from '../../../../../lib/errors.ts';
import { acceptedFolder } from '../../../../../lib/jobs/host/hostSpool.ts';
import {
  acceptedJobs,
  folderOf,
  handedOver,
  host,
  jobOf,
  open,
  recordOf,
  submit,
  submitMany,
} from '../../../../helpers/hostJobsOnFakeRunner.ts';

describe('submit', () => {
  it('has the job in its journal when it resolves', async () => {
    const root = await submit('echo a; echo b');
    expect(readSpool(folderOf(root))?.request).toMatchObject({
      parts: ['echo a', ' echo b'],
      owner: { job: { cmd: 'echo a; echo b' } },
    });
    expect(recordOf(root)).toMatchObject({ status: 'notstarted' });
  });

  it('has taken in a plain job when it returns: nobody waits for what is there', async () => {
    await submitMany(2);
    const root = host.jobs.submit(jobOf('true'));
    expect(root).toEqual(expect.any(String));
    expect([...acceptedJobs().keys()]).toEqual([root]);
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

  it('takes two requests with one key for one job while the disk has yet to confirm the first', async () => {
    host.jobs.close();
    open({ fsync: true });
    await submitMany(2);
    const [first, second, other] = await Promise.all([
      submit('true', { key: 'k' }),
      submit('true', { key: 'k' }),
      submit('false', { key: 'k' }).catch((error: unknown) => error),
    ]);
    expect(second).toBe(first);
    expect(other).toMatchObject({ code: 'conflict' });
    expect(host.jobs.counts).toEqual({ running: 2, waiting: 1 });
    expect([...acceptedJobs().keys()]).toEqual([first]);
  });

  it('takes in no job that waits when the disk does not take it', async () => {
    await submitMany(2);
    const folder = acceptedFolder(host.spool);
    writeFileSync(folder, '');
    await expect(submit()).rejects.toMatchObject({ code: 'storage' });
    expect(host.jobs.counts).toEqual({ running: 2, waiting: 0 });
    expect([...host.database.roots()]).toHaveLength(2);
    rmSync(folder);
  });

  it('takes nothing in that the disk does not take', async () => {
    rmSync(host.spool, { recursive: true });
    writeFileSync(host.spool, '');
    await expect(submit()).rejects.toMatchObject({ code: 'storage' });
    expect([...host.database.roots()]).toEqual([]);
    expect(host.jobs.counts).toEqual({ running: 0, waiting: 0 });
    rmSync(host.spool);
    mkdirSync(host.spool);
  });

  it('closes a job for which no runner can be had, and says why', async () => {
    host.runner.refusal = new PmanError(
      'unavailable',
      'the process that runs jobs cannot be started',
    );
    const root = await submit();
    await host.jobs.ended(root);
    expect(recordOf(root)).toMatchObject({
      status: 'finishedWithError',
      cause: 'the process that runs jobs cannot be started',
    });
  });
});
