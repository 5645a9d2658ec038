import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobIndex } from '../../../../../lib/records/index/jobIndex.ts';
import type { JobLook } from '../../../../../lib/records/index/jobLook.ts';
import { type JobSpan, looksInTurn } from '../../../../../lib/records/index/listedJobs.ts';
import { SoughtText } from '../../../../../lib/records/index/soughtText.ts';
import { acceptedAt, newJobRoot } from '../../../../../lib/records/jobRoot.ts';

const ROOTS = Array.from({ length: 40 }, (_, n) => newJobRoot(n));
const OTHERS = Array.from({ length: 40 }, (_, n) => newJobRoot(100 + n));

describe('JobRows', () => {
  it('goes once through all jobs that stay, in order, whatever comes and goes meanwhile', () => {
    const change = fc.record({
      step: fc.nat(20),
      gone: fc.uniqueArray(fc.constantFrom(...ROOTS), { maxLength: 12 }),
      come: fc.uniqueArray(fc.constantFrom(...ROOTS, ...OTHERS), { maxLength: 6 }),
    });
    const start = fc.uniqueArray(fc.constantFrom(...ROOTS));
    fc.assert(
      fc.property(
        start,
        fc.array(change, { maxLength: 4 }),
        fc.boolean(),
        (roots, changes, isUpward) => {
          const index = new JobIndex();
          for (const [i, root] of roots.entries()) {
            index.put(root, i % 2 === 0 ? {} : { status: 'lost', state: 'lost' });
          }
          const stay = new Set(roots);
          const met: string[] = [];
          const lists = [index.in('state', 'active'), index.in('state', 'lost')];
          for (const { root } of looksInTurn(lists, { isUpward })) {
            met.push(root);
            for (const { step, gone, come } of changes) {
              if (step !== met.length) continue;
              index.remove(new Set(gone));
              for (const one of gone) stay.delete(one);
              for (const one of come) if (!index.has(one)) index.put(one, { jid: 'new' });
            }
          }
          const order = [...met].sort();
          expect(met).toEqual(isUpward ? order : order.reverse());
          expect(new Set(met).size).toBe(met.length);
          for (const root of stay) expect(met).toContain(root);
        },
      ),
    );
  });

  it('show a job once that goes from one list to the end of another, which was gone through', () => {
    const index = new JobIndex();
    const [first = '', second = '', third = ''] = ROOTS;
    index.put(first, { status: 'lost', state: 'lost' });
    index.put(second, {});
    index.put(third, {});
    const lists = [index.in('state', 'active'), index.in('state', 'lost')];
    const met: string[] = [];
    for (const { root } of looksInTurn(lists, { isUpward: true })) {
      met.push(root);
      if (root === third) index.put(second, { status: 'lost', state: 'lost' });
    }
    expect(met).toEqual([first, second, third]);
  });

  it('leaves out none that may have a text, however many others lie between, in both directions', () => {
    const texts = fc.constantFrom('make all', 'MAKE x', 'true', 'ünter make', '');
    const summary = fc.record(
      { cmd: texts, jid: fc.oneof(texts, fc.constant(7)), isLong: fc.constant(true as const) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1200), summary), { maxLength: 20 }),
        fc.constantFrom('make', 'K', 'ü', '7', '0', 'nosuch', ''),
        fc.boolean(),
        (some, words, isUpward) => {
          const index = new JobIndex();
          const special = new Map(some);
          for (let n = 0; n <= 1200; n += 1) {
            index.put(newJobRoot(n), { status: 'lost', cmd: 'other', ...special.get(n) });
          }
          const sought = new SoughtText(words);
          const inText = (job: JobLook) => job.isLong === true || sought.isIn(job.cmd ?? '');
          const isFound = (job: JobLook) =>
            inText(job) || sought.isIn(String(job.jid ?? '')) || sought.begins(job.root);
          const fitting = (span: JobSpan, fits: (job: JobLook) => boolean) =>
            [...index.roots().looks(span)].filter(fits).map(({ root }) => root);
          const span = { isUpward };
          const text = fitting({ ...span, text: sought }, inText);
          expect(text.join()).toBe(fitting(span, inText).join());
          const found = fitting({ ...span, find: sought }, isFound);
          expect(found.join()).toBe(fitting(span, isFound).join());
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leaves out most jobs that do not have a text, and stops now and then all the same', () => {
    const index = new JobIndex();
    for (let n = 0; n < 3000; n += 1) index.put(newJobRoot(n), { status: 'lost', cmd: 'true' });
    const text = new SoughtText('nosuch');
    expect([...index.roots().looks({ isUpward: true, text })]).toHaveLength(2);
  });

  it('of a filter lose the jobs that go, and never show another one in their place', () => {
    const index = new JobIndex();
    for (const root of ROOTS) index.put(root, { auid: 'ana' });
    const some = index.roots().filter(({ root }) => root < (ROOTS[10] ?? ''));
    index.remove(new Set(ROOTS.slice(0, 5)));
    for (const root of OTHERS) index.put(root, { auid: 'ben' });
    expect([...some]).toEqual(ROOTS.slice(5, 10));
    expect(some.length).toBe(5);
  });

  it('gives places from the end, and parts, as an array does', () => {
    const index = new JobIndex();
    for (const root of ROOTS) index.put(root, {});
    const rows = index.roots();
    expect([rows.at(0), rows.at(-1), rows.at(40), rows.at(-41)]).toEqual([
      ROOTS[0],
      ROOTS[39],
      undefined,
      undefined,
    ]);
    expect(rows.slice(35, 100)).toEqual(ROOTS.slice(35));
    const part = rows.part(35, 100);
    index.remove(new Set(ROOTS.slice(36, 38)));
    expect([...part]).toEqual([ROOTS[35], ...ROOTS.slice(38)]);
    expect([...part.looks({ isUpward: false })].map(({ root }) => root).at(-1)).toBe(ROOTS[35]);
  });

  it('leaves out none that was accepted in a time, however the clock was set, in both directions', () => {
    const times = fc.array(fc.integer({ min: 0, max: 1e7 }), { maxLength: 30 });
    const ends = fc.tuple(fc.integer({ min: 0, max: 1e7 }), fc.integer({ min: 0, max: 1e7 }));
    let begin = Date.now();
    fc.assert(
      fc.property(times, ends, fc.boolean(), (offsets, [since, until], isUpward) => {
        begin += 1e8;
        const index = new JobIndex();
        const roots = offsets.map((offset) => newJobRoot(begin + offset));
        for (const root of roots) index.put(root, {});
        const [from, to] = [(begin + since) * 1000, (begin + until) * 1000];
        const isWithin = (root: string) =>
          acceptedAt(root) * 1000 >= from && acceptedAt(root) * 1000 < to;
        const met = [...looksInTurn([index.roots()], { isUpward, from, to })].map(
          ({ root }) => root,
        );
        const wanted = roots.filter(isWithin);
        expect(met.filter(isWithin)).toEqual(isUpward ? wanted : wanted.reverse());
      }),
    );
  });

  it('begins behind a job that is gone, in both directions', () => {
    const index = new JobIndex();
    for (const root of ROOTS) index.put(root, {});
    index.remove(new Set(ROOTS.slice(20, 21)));
    const all = (isUpward: boolean) =>
      [...index.roots().looks({ isUpward, after: ROOTS[20] })].map(({ root }) => root);
    expect(all(true)).toEqual(ROOTS.slice(21));
    expect(all(false)).toEqual(ROOTS.slice(0, 20).reverse());
  });
});
