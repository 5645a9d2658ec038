import type { Page, Route } from 'playwright-core';

const STARTED = Date.parse('2026-01-01T00:00:00Z');

/** A job by its number: the oldest is 0. */
function madeUpJob(n: number) {
  const at = new Date(STARTED + n * 1000).toISOString();
  return {
    ...{ id: `20260101000000.000000_${n.toString(16).padStart(8, '0')}`, jid: `made-up-${n}` },
    ...{ auid: 'ana', command: `echo ${n}`, state: 'succeeded', exitCode: 0, place: null },
    ...{ labels: {}, backend: 'host', reason: null, acceptedAt: at, startedAt: at, endedAt: at },
  };
}

/** Has a page believe that its server has so many jobs: each question for the list gets the answer that pman would give. */
export async function pretendJobs(page: Page, total: number): Promise<void> {
  await page.route('**/api/v2/jobs?*', async (route: Route) => {
    const query = new URL(route.request().url()).searchParams;
    const isNewestFirst = query.get('sort') !== 'oldest';
    const after = query.get('after');
    const limit = Number(query.get('limit') ?? 100);
    // Places are counted in the order that is asked for.
    const placeOf = (n: number) => (isNewestFirst ? total - 1 - n : n);
    const first =
      after === null
        ? Number(query.get('offset') ?? 0)
        : placeOf(Number.parseInt(after.slice(after.indexOf('_') + 1), 16)) + 1;
    const count = Math.max(0, Math.min(limit, total - first));
    const jobs = Array.from({ length: count }, (_, i) => madeUpJob(placeOf(first + i)));
    const next = first + count < total ? 'more' : null;
    const counts = { waiting: 0, starting: 0, running: 0, succeeded: total, failed: 0 };
    const json = { jobs, next, counts: { ...counts, killed: 0, lost: 0 }, event: 0 };
    await route.fulfill({ json });
  });
}
