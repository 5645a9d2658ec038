import { describe, expect, it } from '@jest/globals';
import type { JobPage, JobQuery } from '../../../../../lib/client/index.ts';
import { namesOf } from '../../../../../lib/page/browser/jobNames.ts';
import { NO_FILTER } from '../../../../../lib/page/browser/pagePlace.ts';

describe('the names of all that fit a filter', () => {
  const pages = () => {
    const asked: JobQuery[] = [];
    const jobPage = async (query: JobQuery = {}) => {
      asked.push(query);
      const isLast = query.cursor === 'next';
      const jobs = (isLast ? ['a'] : ['c', 'b']).map((id) => ({ id, jid: id, state: 'failed' }));
      return { jobs, next: isLast ? null : 'next' } as unknown as JobPage;
    };
    return { asked, jobPage };
  };

  it('are those of all pages, also of jobs that were never shown', async () => {
    const { asked, jobPage } = pages();
    const filter = { ...NO_FILTER, states: ['failed'], q: 'user:ana' };
    const names = await namesOf({ jobPage }, { filter, now: 0 }, () => true);
    expect(names?.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(asked).toEqual([
      expect.objectContaining({ state: ['failed'], auid: 'ana' }),
      expect.objectContaining({ state: ['failed'], auid: 'ana', cursor: 'next' }),
    ]);
  });

  it('are given up when something else is selected meanwhile', async () => {
    const { asked, jobPage } = pages();
    expect(await namesOf({ jobPage }, { filter: NO_FILTER, now: 0 }, () => false)).toBeUndefined();
    expect(asked).toHaveLength(1);
  });
});
