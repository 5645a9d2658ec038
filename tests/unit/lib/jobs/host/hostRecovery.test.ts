import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createSpool, readSpool, writeLine } from '../../../../../crunner/detached/spool.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import { newRecord, recordStart } from '../../../../../lib/records/record.ts';
import {
  acceptedJobs,
  folderOf,
  handedOver,
  host,
  jobOf,
  KILL,
  open,
  recordOf,
  submitMany,
} from '../../../../helpers/hostJobsOnFakeRunner.ts';

describe('the next server', () => {
  /** A job as an earlier server has left it. */
  const leave = (cmd: string, ...parts: string[]) => {
    const root = newJobRoot(Date.now());
    const owner = { job: jobOf(cmd), host: { system: 'Linux' } };
    createSpool(folderOf(root), { parts: parts.length === 0 ? [cmd] : parts, owner });
    host.database.add(root, newRecord(owner.job));
    return root;
  };
  const start = { pid: 5, startedAt: 1_700_000_000_000 };
  const end = { endedAt: 1_700_000_001_000, returncode: 0, last: true };

  it('runs what waited, and goes on with what had begun, whatever its turn', async () => {
    const roots = [leave('a'), leave('b'), leave('c')] as const;
    writeLine(folderOf(roots[2]), { part: 0, start }, false);
    await host.jobs.recover();
    expect(host.runner.orders[0]).toBe('find');
    expect(new Set(handedOver())).toEqual(new Set(roots));
    expect(host.jobs.counts).toEqual({ running: 3, waiting: 0 });
    expect(recordOf(roots[2])).toMatchObject({ status: 'started' });
  });

  it('writes down how jobs have ended meanwhile', async () => {
    const root = leave('a; b', 'a', 'b');
    for (const part of [0, 1]) {
      writeLine(folderOf(root), { part, start }, false);
      writeLine(folderOf(root), { part, end: { ...end, last: part === 1 } }, false);
    }
    await host.jobs.recover();
    expect(recordOf(root)).toMatchObject({ status: 'finishedSuccessfully', returncodes: [0, 0] });
    expect(handedOver()).toEqual([]);
  });

  it('does not run what was not to run', async () => {
    const root = leave('a');
    writeLine(folderOf(root), { dropped: 'ended by a client before it started' }, false);
    await host.jobs.recover();
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
    await host.jobs.recover();
    expect(host.runner.orders).toEqual(['find', `run ${root}`, `kill ${root} SIGTERM`]);
  });

  it('takes a line that a crash has cut for none, and adds nothing to it', async () => {
    const root = leave('a');
    appendFileSync(join(folderOf(root), 'job.jsonl'), '{"part":0,"sta');
    await host.jobs.recover();
    host.runner.starts(root);
    expect(readSpool(folderOf(root))?.parts).toMatchObject([{ start: { pid: 1000 } }]);
  });

  /** What a server finds that follows one which was killed. */
  const nextServer = async () => {
    host.jobs.close();
    open();
    await host.jobs.recover();
  };

  it('has those wait that had no folder yet, in their order', async () => {
    const roots = await submitMany(5);
    await nextServer();
    expect(handedOver()).toEqual(roots.slice(0, 2));
    expect(roots.map((root) => host.jobs.place(root))).toEqual([undefined, undefined, 1, 2, 3]);
    host.runner.ends(roots[0]);
    expect(handedOver()).toEqual(roots.slice(0, 3));
  });

  it('knows a job that was accepted and of which no record was written', async () => {
    const roots = await submitMany(3);
    await host.database.save();
    await host.database.remove([roots[2]]);
    await nextServer();
    expect(recordOf(roots[2])).toMatchObject({ status: 'notstarted' });
    expect(host.jobs.place(roots[2])).toBe(1);
  });

  it('does not run one that was dropped while it waited', async () => {
    const roots = await submitMany(3);
    await host.jobs.kill(roots[2], KILL);
    await nextServer();
    host.runner.ends(roots[0]);
    expect(handedOver()).not.toContain(roots[2]);
    expect(recordOf(roots[2]).status).toBe('finishedWithError');
  });

  it('gives a job another folder where a kill has left half of one', async () => {
    const [first, , third] = await submitMany(3);
    mkdirSync(folderOf(third));
    writeFileSync(join(folderOf(third), 'job.jsonl'), '{"req');
    await nextServer();
    host.runner.ends(first);
    expect(handedOver()).toContain(third);
    expect(readSpool(folderOf(third))?.request).toMatchObject({ parts: ['job 2'] });
  });

  it('goes on with one that has its own folder and is still among those that wait', async () => {
    const [first, , third, fourth] = await submitMany(4);
    host.runner.ends(first);
    // The server was killed before it had heard of that.
    writeLine(folderOf(third), { part: 0, start }, false);
    writeFileSync(join(folderOf(third), '0.out'), 'so far');
    expect([...acceptedJobs().keys()]).toEqual([third, fourth]);
    await nextServer();
    expect(readSpool(folderOf(third))?.parts).toEqual([{ start }]);
    expect(readFileSync(join(folderOf(third), '0.out'), 'utf8')).toBe('so far');
    await host.jobs.kill(third, KILL);
    expect(readSpool(folderOf(third))?.kill).toEqual(KILL);
    host.runner.ends(third);
    await host.database.save();
    expect([...acceptedJobs().keys()]).toEqual([fourth]);
  });

  it('runs no job again that has begun, whatever was lost of what said so', async () => {
    const [, , inRecord, byOutput] = await submitMany(4);
    const record = host.database.edit(inRecord);
    if (record !== undefined) recordStart(record, 0, { cmd: 'job 2', startedAt: 1, host: {} });
    mkdirSync(folderOf(byOutput ?? ''));
    writeFileSync(join(folderOf(byOutput ?? ''), '0.out'), 'so far');
    await nextServer();
    expect(host.jobs.counts).toEqual({ running: 2, waiting: 0 });
    for (const root of [inRecord, byOutput ?? '']) expect(recordOf(root).status).toBe('lost');
    expect([...acceptedJobs().keys()]).toEqual([]);
  });

  it('removes what is left of a job without a record, and closes a record without a journal', async () => {
    const unknown = newJobRoot(Date.now());
    mkdirSync(folderOf(unknown));
    const root = leave('a');
    writeFileSync(join(folderOf(root), 'job.jsonl'), 'garbled\n');
    await host.jobs.recover();
    expect(existsSync(folderOf(unknown))).toBe(false);
    expect(existsSync(join(folderOf(root), 'job.jsonl'))).toBe(false);
    expect(recordOf(root).status).toBe('lost');
  });
});
