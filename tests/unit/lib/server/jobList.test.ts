import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jobList, listQuery } from '../../../../lib/server/jobList.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let opened: TestServices;

beforeEach(() => {
  opened = openServices();
});
afterEach(() => opened.close());

const list = async (query: string) => {
  const { jobs, page } = await jobList(opened.services, query);
  return { jobs: Object.fromEntries(jobs), page };
};

describe('the list of jobs', () => {
  it('gives a page in order of time, and says how many fit', async () => {
    const roots = ['a', 'b', 'c'].map((jid) => opened.addEnded(jid, 'ana', 0));
    const { jobs, page } = await list('offset=1&limit=1');
    expect(Object.keys(jobs)).toEqual([roots[1]]);
    expect(page).toEqual({ total: 3, limit: 1, next: 2 });
    expect((await list('offset=2&limit=1')).page).toEqual({ total: 3, limit: 1 });
  });

  it('tells jid, auid and status of each job', async () => {
    const root = opened.addEnded('seven', 'ana', 3);
    expect((await list('limit=10')).jobs[root]).toEqual({
      jid: 'seven',
      auid: 'ana',
      status: 'finishedWithError',
    });
  });

  it.each([
    ['auid=bob', ['2']],
    ['status=finishedWithError', ['1']],
    ['jid=0', ['0']],
    ['jid=0&auid=bob', []],
    ['order=newest&limit=2', ['2', '1']],
    ['since=2999', []],
    ['until=1999', []],
    ['since=1999-12-31&until=2999', ['0', '1', '2']],
  ])('takes %s', async (query, jids) => {
    opened.addEnded('0', 'ana', 0);
    opened.addEnded('1', 'ana', 1);
    opened.addEnded('2', 'bob', 0);
    const found = Object.values((await list(query)).jobs).map(
      (job) => (job as { jid: string }).jid,
    );
    expect(found).toEqual(jids);
  });

  it.each([
    'limit=-1',
    'limit=0',
    'offset=x',
    'status=done',
    'since=yesterday',
    'limit=1&colour=red',
    'order=up',
    'Limit=1',
    'stat=started',
  ])('refuses %s and names the parameter', async (query) => {
    const name = query.split('&').at(-1)?.split('=')[0] ?? '';
    await expect(list(query)).rejects.toThrow(new RegExp(name));
  });

  it.each([
    ['/api/v1?limit=1', 'limit=1'],
    ['/?limit=1', 'limit=1'],
    ['/api/v1/?limit=1', 'limit=1'],
    ['/api/v1', undefined],
    ['/api/v1?x=1', 'x=1'],
    ['/?', undefined],
    ['/api/v1/_0/cmd?x=1', undefined],
  ])('sees in %s the query %p', (target, query) => {
    expect(listQuery(target)).toBe(query);
  });
});
