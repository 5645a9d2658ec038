import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../../lib/log.ts';
import { JobDatabase } from '../../../../../lib/records/database.ts';
import { Indexing } from '../../../../../lib/records/index/indexing.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordStart,
} from '../../../../../lib/records/record.ts';
import { summaryOf } from '../../../../helpers/records.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

describe('Indexing', () => {
  const log = silentLogger();

  it('reads at once what it can in its first time, and refuses nothing then', () => {
    const learnt: string[] = [];
    const indexing = new Indexing({ learn: (root) => learnt.push(root), firstMs: 1000, log });
    indexing.begin(['a', 'b']);
    expect(learnt).toEqual(['a', 'b']);
    expect(indexing.progress).toBeUndefined();
    indexing.require();
  });

  it('says how far it is, and reads the rest while others work', async () => {
    const learnt: string[] = [];
    const indexing = new Indexing({ learn: (root) => learnt.push(root), firstMs: 0, log });
    indexing.begin(['a', 'b', 'c']);
    expect(indexing.progress).toEqual({ read: 1, of: 3 });
    expect(() => indexing.require()).toThrow(/1 of 3 records/);
    indexing.skip('b');
    await indexing.finished;
    expect(learnt).toEqual(['a', 'c']);
    expect(indexing.progress).toBeUndefined();
  });

  it('tries a record again that could not be read', async () => {
    let tries = 0;
    const learn = () => {
      tries += 1;
      if (tries < 3) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    };
    const indexing = new Indexing({ learn, firstMs: 0, log });
    indexing.begin(['a']);
    expect(indexing.has('a')).toBe(true);
    await indexing.finished;
    expect(tries).toBe(3);
  });

  it('ends when it is closed', async () => {
    const indexing = new Indexing({ learn: () => undefined, firstMs: 0, log });
    indexing.begin(['a', 'b', 'c']);
    indexing.close();
    await indexing.finished;
    expect(indexing.progress).toBeDefined();
  });
});

describe('a database whose index is gone', () => {
  let folder = '';
  let database: JobDatabase;
  const COUNT = 40;

  function open(firstReadMs?: number): JobDatabase {
    const workFolder = `${folder}.spool`;
    const first = firstReadMs === undefined ? {} : { firstReadMs };
    return JobDatabase.open({
      folder,
      workFolder,
      fsync: false,
      summaryOf,
      log: silentLogger(),
      ...first,
    });
  }

  const jobOf = (jid: string, key = `key of ${jid}`) =>
    newRecord({ rawMeta: { jid, key }, cmd: 'true', auid: 'ana', jid });

  function addEnded(jid: string): string {
    const root = newJobRoot(Date.now());
    database.add(root, jobOf(jid));
    const record = database.edit(root);
    if (record === undefined) throw new Error('the job was not taken in');
    const start = { cmd: 'true', host: {}, pid: 1, startedAt: Date.now() };
    recordStart(record, 0, start);
    recordEnd(record, 0, { endedAt: Date.now(), returncode: 0, stdout: '', stderr: '' });
    recordDone(record, 1);
    database.release(root);
    return root;
  }

  let roots: string[] = [];
  beforeEach(async () => {
    folder = join(tempDir(), 'db');
    database = open();
    roots = Array.from({ length: COUNT }, (_, i) => addEnded(`job ${i}`));
    await database.close();
    rmSync(`${folder}.spool/index.jsonl`);
    database = open(0);
  });
  afterEach(() => database.close());

  it('is open before its records are read: jobs are known by name, and each can be read', () => {
    expect(database.indexing).toMatchObject({ of: COUNT });
    expect([...database.roots()]).toEqual(roots);
    expect(database.has(roots.at(-1) ?? '')).toBe(true);
    expect(database.tree(roots.at(-1) ?? '')?.cat(['jid'])).toBe(`job ${COUNT - 1}`);
    expect(database.summary(roots.at(-1) ?? '')?.status).toBe('finishedSuccessfully');
  });

  it('refuses until then what it could only guess, and gives the right answer after', async () => {
    const repeated = jobOf(`job ${COUNT - 1}`);
    for (const ask of [
      async () => database.find('jid', 'job 39'),
      async () => database.find('cmd', 'true'),
      async () => database.sameJob(repeated),
    ]) {
      await expect(ask()).rejects.toThrow(/records so far/);
    }
    await database.indexed;
    expect([...(await database.find('jid', 'job 39'))]).toEqual([roots[39]]);
    expect([...(await database.find('auid', 'ana'))]).toEqual(roots);
    expect(database.sameJob(repeated)).toBe(roots.at(-1));
  });

  it('takes new jobs meanwhile, and has all of them in order after', async () => {
    const later = addEnded('later');
    expect(database.sameJob(newRecord({ rawMeta: {}, cmd: '', auid: '', jid: '' }))).toBe(
      undefined,
    );
    await database.indexed;
    expect([...(await database.find('auid', 'ana'))]).toEqual([...roots, later]);
    expect(database.unfinished()).toEqual([]);
  });

  it('does not bring back what is removed meanwhile', async () => {
    await database.remove([roots[20] ?? '', roots[0] ?? '']);
    await database.indexed;
    expect([...(await database.find('auid', 'ana'))]).toEqual(
      roots.filter((_, i) => i !== 20 && i !== 0),
    );
  });

  it('has an index again after that, as far as it came', async () => {
    await database.close();
    database = open(0);
    const { of = 0 } = database.indexing ?? {};
    expect(of).toBeGreaterThan(0);
    expect(of).toBeLessThan(COUNT);
    await database.indexed;
    await database.close();
    database = open(0);
    expect(database.indexing).toBeUndefined();
    expect([...(await database.find('auid', 'ana'))]).toEqual(roots);
  });
});
