import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ANYBODY } from '../../../../lib/access/caller.ts';
import { dispatch } from '../../../../lib/server/dispatch.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let host: TestServices;
beforeEach(() => {
  host = openServices();
});
afterEach(() => host.close());

const ask = async (action: string, rawMeta: JsonObject) =>
  dispatch(host.services, { action, rawMeta, threaded: false }, { caller: ANYBODY });
const mine = { key: 'auid', value: 'ana' };
const addJobs = (count: number) =>
  Array.from({ length: count }, (_, i) => host.addEnded(`job-${i}`, 'ana', 0));

describe('an answer about many jobs', () => {
  it.each(['status', 'done', 'info', 'search', 'result'])(
    'of %s is a page when it is asked for, and says how to go on',
    async (action) => {
      const roots = addJobs(3);
      const { result, page } = await ask(action, { ...mine, limit: 1, offset: 1 });
      expect(page).toEqual({ total: 3, limit: 1, next: 2 });
      expect(JSON.stringify(result)).toContain(roots[1]);
      expect(JSON.stringify(result)).not.toContain(roots[0]);
      expect(JSON.stringify(result)).not.toContain(roots[2]);
      expect((await ask(action, { ...mine, offset: 2 })).page).toEqual({ total: 3, limit: 1000 });
    },
  );

  it('tells of a thousand, and says so, unless asked for more', async () => {
    const roots = addJobs(1001);
    for (const action of ['done', 'search']) {
      expect((await ask(action, mine)).page).toEqual({ total: 1001, limit: 1000, next: 1000 });
    }
    for (const [action, meta] of [
      ['get', { path: '/' }],
      ['DBctl', { do: 'save' }],
    ] as const) {
      const { result, page } = await ask(action, meta);
      expect(Object.keys(result as JsonObject)).toEqual(roots.slice(0, 1000));
      expect(page).toEqual({ total: 1001, limit: 1000, next: 1000 });
    }
    const { result, page } = await ask('search', { ...mine, limit: 2000 });
    expect(Object.keys(result as JsonObject)).toHaveLength(1001);
    expect(page).toEqual({ total: 1001, limit: 2000 });
  });

  it('says nothing of pages when it has everything', async () => {
    addJobs(2);
    expect(await ask('status', mine)).not.toHaveProperty('page');
    expect(await ask('get', { path: '/' })).not.toHaveProperty('page');
  });

  it('ends when it is long enough, but has one job at least', async () => {
    const roots = addJobs(3);
    for (const root of roots.slice(0, 2)) {
      host.services.database.edit(root)?.touch(['note'], 'x'.repeat(9 * 1024 * 1024));
    }
    const { result, page } = await ask('search', { ...mine, path: '/note' });
    expect(Object.keys(result as JsonObject)).toEqual(['0']);
    expect(page).toEqual({ total: 3, limit: 1000, next: 1 });
  });

  it.each([
    [{ limit: 0 }, /limit.*less than 1/],
    [{ limit: '5' }, /limit.*not a number/],
    [{ offset: -1 }, /offset.*less than 0/],
    [{ offset: 0.5 }, /offset.*whole number/],
  ])('refuses %j', async (wanted, why) => {
    await expect(ask('status', { ...mine, ...wanted })).rejects.toThrow(why);
  });
});

describe('what is done to many jobs', () => {
  it('is done to all of them, however many are told of', async () => {
    const jobs = addJobs(1001);
    expect(await ask('kill', mine)).toEqual({
      status: false,
      result: {},
      jobs,
      page: { total: 1001, limit: 1000 },
    });
    await ask('delete', mine);
    expect([...host.services.database.roots()]).toEqual([]);
  });
});
