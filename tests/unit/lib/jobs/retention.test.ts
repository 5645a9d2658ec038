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
function remove(retention: Partial<Parameters<typeof removeOld>[1]>): number {
  const { database, jobs } = opened.services;
  const before = database.roots().length;
  removeOld({ database, jobs, log: silentLogger() }, { ...KEEP_ALL, ...retention });
  return before - database.roots().length;
}

describe('removing old jobs', () => {
  it('keeps everything unless told', () => {
    opened.addEnded('a', 'ana', 0);
    expect(remove({})).toBe(0);
  });

  it('keeps so many, and removes the oldest of the others', () => {
    const roots = ['a', 'b', 'c'].map((jid) => opened.addEnded(jid, 'ana', 0));
    expect(remove({ count: 2 })).toBe(1);
    expect(opened.services.database.roots()).toEqual(roots.slice(1));
  });

  it('removes what is older than the limit', () => {
    opened.addEnded('a', 'ana', 0);
    expect(remove({ ageMs: 3_600_000 })).toBe(0);
    expect(remove({ ageMs: -1000 })).toBe(1);
  });

  it('removes until the rest is small enough', () => {
    opened.addEnded('a', 'ana', 0);
    const kept = opened.addEnded('b', 'ana', 0);
    const { database } = opened.services;
    const bytes = database.summary(kept)?.bytes ?? 0;
    expect(bytes).toBeGreaterThan(10_000);
    expect(remove({ bytes })).toBe(1);
    expect(database.roots()).toEqual([kept]);
  });

  it('never removes a job that has not ended', () => {
    const { database } = opened.services;
    const root = newJobRoot(Date.now());
    database.add(root, newRecord({ rawMeta: {}, cmd: 'sleep 5', auid: 'ana', jid: 'runs' }));
    expect(remove({ count: 0, ageMs: -1000, bytes: 0 })).toBe(0);
    expect(database.roots()).toEqual([root]);
  });
});
