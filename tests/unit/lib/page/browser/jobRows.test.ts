import { beforeEach, describe, expect, it } from '@jest/globals';
import type { JobEvent, JobPage, JobQuery } from '../../../../../lib/client/index.ts';
import { JobRows } from '../../../../../lib/page/browser/jobRows.ts';
import { NO_FILTER } from '../../../../../lib/page/browser/pagePlace.ts';

/** What is seen first of a list. */
const TOP = { from: 0, to: 30 };

const job = (id: string, state = 'running') => ({
  ...{ id, state, jid: id, auid: null, command: id, exitCode: null, place: null, labels: {} },
  ...{ backend: 'host', acceptedAt: '', startedAt: null, endedAt: null },
});

describe('the rows of the list', () => {
  let asked: JobQuery[];
  let answers: Array<Partial<JobPage>>;
  let due: Array<() => void>;
  let mayMove: boolean;
  let rows: JobRows;
  let seq: number;

  beforeEach(() => {
    [asked, answers, due, mayMove, seq] = [[], [], [], true, 7];
    rows = new JobRows({
      client: () => ({
        jobPage: async (query = {}) => {
          asked.push(query);
          return { jobs: [], next: null, ...answers.shift() } as JobPage;
        },
      }),
      mayMove: () => mayMove,
      onChange: () => undefined,
      later: (act) => void due.push(act),
    });
  });

  const page = (ids: readonly string[], more: Partial<JobPage> = {}) =>
    answers.push({ jobs: ids.map((id) => job(id)) as unknown as JobPage['jobs'], ...more });
  const counts = (running: number, failed = 0) =>
    ({ running, failed, waiting: 0 }) as unknown as NonNullable<JobPage['counts']>;
  const event = (type: JobEvent['type'], id: string, data = {}): JobEvent => {
    seq += 1;
    return { seq, time: '2026-11-29T12:00:00.000Z', type, id, data };
  };
  const failed = { state: 'failed', exitCodes: [1] };
  const ids = () => rows.rows.map(({ id }) => id);

  it('change in their places when a job ends, and the counts with them', async () => {
    page(['b', 'a'], { counts: counts(2), event: 7 });
    expect(await rows.load(NO_FILTER)).toBe(7);
    rows.apply(event('ended', 'a', { state: 'failed', exitCodes: [0, 3] }));
    expect(ids()).toEqual(['b', 'a']);
    expect(rows.rows[1]).toMatchObject({ state: 'failed', exitCode: 3, reason: null });
    expect(rows.counts).toMatchObject({ running: 1, failed: 1 });
    // The same once more, as after a lost connection.
    rows.apply(event('ended', 'a', { state: 'failed', exitCodes: [0, 3] }));
    expect(rows.counts).toMatchObject({ running: 1, failed: 1 });
    expect(due).toEqual([]);
  });

  it('have another version when one of them is another one, and not when something else happens', async () => {
    page(['a'], { counts: counts(2) });
    const first = rows.version;
    await rows.load(NO_FILTER);
    const loaded = rows.version;
    rows.apply(event('accepted', 'b'));
    rows.apply(event('ended', 'b', failed));
    expect([loaded === first, rows.version]).toEqual([false, loaded]);
    rows.apply(event('ended', 'a', failed));
    expect(rows.version).not.toBe(loaded);
  });

  it('leave new jobs outside while somebody points at the list', async () => {
    page(['a'], { counts: counts(1) });
    await rows.load(NO_FILTER);
    mayMove = false;
    rows.apply(event('accepted', 'b'));
    expect([ids(), rows.news]).toEqual([['a'], 1]);
    page(['b'], { counts: counts(2) });
    due.shift()?.();
    await Promise.resolve();
    expect(ids()).toEqual(['a']);
    mayMove = true;
    page(['b', 'a'], { counts: counts(2) });
    rows.settle();
    due.shift()?.();
    await new Promise(setImmediate);
    expect([ids(), rows.news]).toEqual([['b', 'a'], 0]);
  });

  it('ask once for many new jobs', async () => {
    page([]);
    await rows.load(NO_FILTER);
    for (let n = 0; n < 1000; n += 1) rows.apply(event('accepted', `job ${n}`));
    expect(due).toHaveLength(1);
    expect(rows.counts.waiting).toBe(1000);
  });

  it('ask for the counts when a job ends that is not loaded', async () => {
    page(['a'], { counts: counts(5) });
    await rows.load(NO_FILTER);
    mayMove = false;
    rows.apply(event('ended', 'z', { state: 'failed', exitCodes: [1] }));
    page([], { counts: counts(4, 1) });
    due.shift()?.();
    await new Promise(setImmediate);
    expect([ids(), rows.counts.running, rows.counts.failed]).toEqual([['a'], 4, 1]);
  });

  it('stay where a job is removed under the pointer, and go when it is let go', async () => {
    page(['b', 'a'], { counts: counts(2) });
    await rows.load(NO_FILTER);
    mayMove = false;
    rows.apply(event('removed', 'b'));
    expect(rows.rows[0]).toMatchObject({ id: 'b', isGone: true });
    expect(rows.counts.running).toBe(1);
    mayMove = true;
    rows.apply(event('removed', 'a'));
    expect(ids()).toEqual(['b']);
  });

  it('go on behind what has been loaded, also when the first page is loaded anew', async () => {
    page(['d', 'c'], { next: 'n' });
    await rows.load(NO_FILTER);
    page(['b', 'a']);
    await rows.see(TOP);
    expect(asked.at(-1)).toMatchObject({ after: 'c' });
    page(['e', 'd', 'c'], { next: 'm' });
    await rows.refresh();
    expect(ids()).toEqual(['e', 'd', 'c', 'b', 'a']);
    expect(rows.length).toBe(5);
    // What has happened to the later ones is not known: then they do not stay.
    page(['e', 'd', 'c'], { next: 'm' });
    await rows.load(NO_FILTER, { anew: true });
    expect(ids()).toEqual(['e', 'd', 'c']);
  });

  it('are those of the newest filter, whichever answer comes last', async () => {
    page(['late']);
    page(['a']);
    const first = rows.load(NO_FILTER);
    const second = rows.load({ ...NO_FILTER, q: 'a' });
    expect(await first).toBeUndefined();
    await second;
    expect(ids()).toEqual(['a']);
  });

  it('stay when a request fails', async () => {
    page(['a']);
    await rows.load(NO_FILTER);
    answers.push(
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('away');
          },
        },
      ),
    );
    await expect(rows.refresh()).rejects.toThrow('away');
    expect(ids()).toEqual(['a']);
    expect(rows.error).toBeInstanceOf(Error);
  });

  it('know what has happened while the answer was on its way that does not know it', async () => {
    page(['c', 'b', 'a'], { counts: counts(3), event: 7 });
    await rows.load(NO_FILTER);
    // The server has looked before these events, and its answer comes behind them.
    page(['c', 'b', 'a'], { counts: counts(3), event: 7 });
    const loaded = rows.refresh();
    rows.apply(event('ended', 'a', failed));
    rows.apply(event('removed', 'b'));
    await loaded;
    expect(ids()).toEqual(['c', 'a']);
    expect(rows.rows[1]).toMatchObject({ state: 'failed', exitCode: 1 });
    expect(rows.counts).toMatchObject({ running: 1, failed: 1 });
  });

  it('take an event in once that the answer knows already', async () => {
    page(['b'], { next: 'n', counts: counts(2), event: 7 });
    await rows.load(NO_FILTER);
    page(['a']);
    await rows.see(TOP);
    const ended = event('ended', 'a', failed);
    page(['b'], { next: 'n', counts: counts(1, 1), event: ended.seq });
    await rows.refresh();
    // The stream tells it behind the answer: as after a lost connection.
    rows.apply(ended);
    expect(rows.rows[1]).toMatchObject({ id: 'a', state: 'failed' });
    expect(rows.counts).toMatchObject({ running: 1, failed: 1 });
    expect(due).toEqual([]);
  });

  it('know what has happened while rows further down were on their way', async () => {
    page(['b'], { next: 'n', counts: counts(2), event: 7 });
    await rows.load(NO_FILTER);
    page(['a']);
    const loaded = rows.see(TOP);
    rows.apply(event('ended', 'a', failed));
    await loaded;
    expect(rows.rows[1]).toMatchObject({ id: 'a', state: 'failed' });
  });

  it('count what happens while the counts alone are asked for', async () => {
    page(['a'], { counts: counts(2), event: 7 });
    await rows.load(NO_FILTER);
    mayMove = false;
    rows.apply(event('ended', 'unknown', failed));
    page([], { counts: counts(1, 1), event: seq });
    due.shift()?.();
    rows.apply(event('ended', 'a', failed));
    await new Promise(setImmediate);
    expect(rows.counts).toMatchObject({ running: 0, failed: 2 });
  });

  it('of another filter never stay, also when its first answer was lost', async () => {
    page(['b', 'a'], { next: 'n' });
    await rows.load(NO_FILTER);
    page(['z', 'y']);
    await rows.see(TOP);
    const other = { ...NO_FILTER, q: 'a' };
    answers.push({ jobs: [], next: null });
    const lost = rows.load(other);
    page(['b', 'a'], { next: 'n' });
    await Promise.all([lost, rows.load(other)]);
    expect(ids()).toEqual(['b', 'a']);
    expect(rows.shown).toContain('"a"');
  });

  describe('of a list of one state', () => {
    const FAILED = { ...NO_FILTER, states: ['failed'] };
    const pageOf = (state: string, ids: readonly string[], more: Partial<JobPage> = {}) =>
      answers.push({
        ...{ jobs: ids.map((id) => job(id, state)) as unknown as JobPage['jobs'], next: null },
        ...more,
      });
    const later = () => {
      due.shift()?.();
      return new Promise(setImmediate);
    };

    it('come in when their job gets into it, also one that was accepted meanwhile', async () => {
      pageOf('failed', ['a'], { counts: counts(1, 1), event: 7 });
      await rows.load(FAILED);
      rows.apply(event('accepted', 'b'));
      rows.apply(event('started', 'b', { part: 0 }));
      pageOf('failed', ['a'], { counts: counts(2, 1), event: seq });
      await later();
      expect([ids(), rows.total, rows.news]).toEqual([['a'], 1, 0]);
      rows.apply(event('ended', 'b', failed));
      pageOf('failed', ['b', 'a'], { counts: counts(1, 2), event: seq });
      await later();
      expect([ids(), rows.total, rows.news]).toEqual([['b', 'a'], 2, 0]);
    });

    it('are offered as new while somebody points at the list, wherever they belong', async () => {
      pageOf('failed', ['c', 'a'], { counts: counts(2, 2), event: 7 });
      await rows.load(FAILED);
      mayMove = false;
      rows.apply(event('ended', 'b', failed));
      expect([ids(), rows.news]).toEqual([['c', 'a'], 1]);
      pageOf('failed', ['c', 'b', 'a'], { counts: counts(1, 3), event: seq });
      await later();
      expect([ids(), rows.news, rows.total]).toEqual([['c', 'a'], 1, 3]);
      pageOf('failed', ['c', 'b', 'a'], { counts: counts(1, 3), event: seq });
      await rows.refresh();
      expect([ids(), rows.news, rows.total]).toEqual([['c', 'b', 'a'], 0, 3]);
    });

    it('are offered as new where only the server knows whether they fit', async () => {
      const narrow = { ...FAILED, q: 'x' };
      pageOf('failed', ['c', 'a'], { counts: counts(2, 2), event: 7 });
      await rows.load(narrow);
      mayMove = false;
      rows.apply(event('ended', 'b', failed));
      pageOf('failed', ['c', 'b', 'a'], { counts: counts(1, 3), event: seq });
      await later();
      expect([ids(), rows.news, rows.total]).toEqual([['c', 'a'], 1, 3]);
    });

    it('stay in their places while somebody needs them, and are not counted any more', async () => {
      pageOf('running', ['b', 'a'], { counts: counts(2), event: 7 });
      await rows.load({ ...NO_FILTER, states: ['running'] });
      mayMove = false;
      rows.apply(event('ended', 'b', failed));
      expect([ids(), rows.rows[0]?.state, rows.total]).toEqual([['b', 'a'], 'failed', 1]);
      expect(due).toEqual([]);
      mayMove = true;
      rows.settle();
      pageOf('running', ['a'], { counts: counts(1, 1), event: seq });
      await later();
      expect([ids(), rows.total]).toEqual([['a'], 1]);
      rows.apply(event('ended', 'a', failed));
      pageOf('running', [], { counts: counts(0, 2), event: seq });
      await later();
      expect([ids(), rows.total]).toEqual([[], 0]);
    });

    it('are not offered any more when their job has left it', async () => {
      pageOf('running', ['a'], { counts: counts(1), event: 7 });
      await rows.load({ ...NO_FILTER, states: ['running'] });
      mayMove = false;
      rows.apply(event('accepted', 'b'));
      rows.apply(event('started', 'b', { part: 0 }));
      expect(rows.news).toBe(1);
      rows.apply(event('ended', 'b', failed));
      expect([ids(), rows.news, rows.total]).toEqual([['a'], 0, 1]);
    });
  });

  it('tell how near to their turn jobs are when others have left the queue', async () => {
    const waiting = (id: string, place: number) => ({ ...job(id, 'waiting'), place });
    page([], { jobs: [waiting('c', 4), waiting('b', 3), job('a')] as unknown as JobPage['jobs'] });
    await rows.load(NO_FILTER);
    mayMove = false;
    for (const id of ['x', 'y']) rows.apply(event('started', id, { part: 0 }));
    const places = [waiting('c', 2), waiting('b', 1), waiting('a', 7)];
    page([], { jobs: places as unknown as JobPage['jobs'] });
    expect(due).toHaveLength(2);
    due.reverse().shift()?.();
    await new Promise(setImmediate);
    expect(asked.at(-1)).toMatchObject({ state: ['waiting'], fields: ['id', 'place'] });
    expect(rows.rows.map(({ place }) => place)).toEqual([2, 1, null]);
  });

  describe('of a list of 100,000', () => {
    const numbered = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => `job ${from + n}`);
    const place = (at: number) => rows.rows[at - rows.start]?.id;

    beforeEach(async () => {
      page(numbered(0, 100), { next: 'n', counts: counts(100_000), event: 7 });
      await rows.load(NO_FILTER);
    });

    it('have places for all of them, and are few', async () => {
      expect([rows.length, rows.start, ids()[0]]).toEqual([100_000, 0, 'job 0']);
      for (let at = 100; at < 5000; at += 200) {
        page(numbered(at, at + 200), { next: 'n' });
        await rows.see({ from: at - 40, to: at });
        expect(asked.at(-1)).toMatchObject({ after: `job ${at - 1}`, limit: 200 });
      }
      expect([rows.length, place(4900), rows.rows.length]).toEqual([100_000, 'job 4900', 1000]);
      page(numbered(3900, 4100).toReversed(), { next: 'n' });
      await rows.see({ from: 4100, to: 4140 });
      expect(asked.at(-1)).toMatchObject({ after: 'job 4100', sort: 'oldest' });
      expect([rows.start, place(3900), rows.rows.length]).toEqual([3900, 'job 3900', 1000]);
    });

    it('are asked for by their number where somebody jumps to', async () => {
      page(numbered(29_940, 30_100), { next: 'n' });
      await rows.see({ from: 30_000, to: 30_040 });
      expect(asked.at(-1)).toMatchObject({ offset: 29_940, limit: 160 });
      expect([rows.length, rows.start, place(30_000)]).toEqual([100_000, 29_940, 'job 30000']);
    });

    it('are those at the end where somebody goes there, whatever has been counted', async () => {
      page(numbered(99_830, 100_000).toReversed(), { next: 'n' });
      await rows.see({ from: 99_960, to: 100_010 });
      expect(asked.at(-1)).toMatchObject({ offset: 0, sort: 'oldest' });
      expect([rows.length, ids().at(-1)]).toEqual([100_000, 'job 99999']);
      await rows.see({ from: 99_960, to: 100_010 });
      expect(asked).toHaveLength(2);
    });

    it('are the first of all where the top is nearer than was known', async () => {
      page(numbered(29_940, 30_100), { next: 'n' });
      await rows.see({ from: 30_000, to: 30_040 });
      page(numbered(29_900, 29_940).toReversed());
      await rows.see({ from: 29_950, to: 29_990 });
      expect([rows.start, ids()[0]]).toEqual([0, 'job 29900']);
    });

    it('stay where they are while jobs come, also when the connection is lost meanwhile', async () => {
      page(numbered(29_940, 30_100), { next: 'n' });
      await rows.see({ from: 30_000, to: 30_040 });
      mayMove = false;
      rows.apply(event('accepted', 'new'));
      page(['new', ...numbered(0, 99)], { next: 'n', counts: counts(100_002), event: seq });
      expect(await rows.load(NO_FILTER, { mayStay: true })).toBe(seq);
      expect([rows.news, rows.total, place(30_000)]).toEqual([1, 100_002, 'job 30000']);
    });
  });
});
