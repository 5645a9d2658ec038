import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeOld } from '../../../../lib/jobs/retention.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { newJobRoot } from '../../../../lib/records/jobRoot.ts';
import { newRecord } from '../../../../lib/records/record.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

const KEEP_ALL = { ageMs: undefined, count: undefined, bytes: undefined };
let opened: TestServices;

beforeEach(() => {
  opened = openServices();
});
afterEach(() => opened.close());

/** Says how many were removed. */
async function remove(retention: Partial<Parameters<typeof removeOld>[1]>): Promise<number> {
  const { database, jobs } = opened.services;
  const before = database.roots().length;
  await removeOld({ database, jobs, log: silentLogger() }, { ...KEEP_ALL, ...retention });
  return before - database.roots().length;
}

describe('removing old jobs', () => {
  it('keeps everything unless told', async () => {
    opened.addEnded('a', 'ana', 0);
    expect(await remove({})).toBe(0);
  });

  it('keeps so many, and removes the oldest of the others', async () => {
    const roots = ['a', 'b', 'c'].map((jid) => opened.addEnded(jid, 'ana', 0));
    expect(await remove({ count: 2 })).toBe(1);
    expect([...opened.services.database.roots()]).toEqual(roots.slice(1));
  });

  it('removes what is older than the limit', async () => {
    opened.addEnded('a', 'ana', 0);
    expect(await remove({ ageMs: 3_600_000 })).toBe(0);
    expect(await remove({ ageMs: -1000 })).toBe(1);
  });

  it('removes what is older than the limit, also behind a job that came when the clock was ahead', async () => {
    const { database } = opened.services;
    const ahead = opened.addEnded('ahead', 'ana', 0, Date.now() + 86_400_000);
    opened.addEnded('a', 'ana', 0);
    opened.addEnded('b', 'ana', 0);
    expect(await remove({ ageMs: -1000 })).toBe(2);
    expect([...database.roots()]).toEqual([ahead]);
  });

  it('removes until the rest is small enough', async () => {
    opened.addEnded('a', 'ana', 0);
    const kept = opened.addEnded('b', 'ana', 0);
    const { database } = opened.services;
    const bytes = database.summary(kept)?.bytes ?? 0;
    expect(bytes).toBeGreaterThan(10_000);
    expect(await remove({ bytes })).toBe(1);
    expect([...database.roots()]).toEqual([kept]);
  });

  it('never removes a job that has not ended', async () => {
    const { database } = opened.services;
    const root = newJobRoot(Date.now());
    database.add(root, newRecord({ rawMeta: {}, cmd: 'sleep 5', auid: 'ana', jid: 'runs' }));
    expect(await remove({ count: 0, ageMs: -1000, bytes: 0 })).toBe(0);
    expect([...database.roots()]).toEqual([root]);
  });
});
