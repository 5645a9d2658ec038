import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createSpool, readSpool, writeLine } from '../../../../../crunner/detached/spool.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import { newRecord } from '../../../../../lib/records/record.ts';
import {
  folderOf,
  handedOver,
  host,
  jobOf,
  KILL,
  recordOf,
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
