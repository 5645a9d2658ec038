import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RootTable } from '../../../../../lib/records/index/rootTable.ts';
import {
  byOrder,
  isJobRoot,
  newJobRoot,
  orderOf,
  uuidOf,
} from '../../../../../lib/records/jobRoot.ts';

const root = fc.stringMatching(
  /^20\d{2}(0[1-9]|1[0-2])(0[1-9]|1\d|2[0-8])([01]\d|2[0-3])[0-5]\d[0-5]\d\.\d{1,6}_[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
);

describe('RootTable', () => {
  it('keeps each root as it is, finds it, and knows its place among all jobs', () => {
    fc.assert(
      fc.property(fc.uniqueArray(root, { maxLength: 20 }), fc.nat(), (roots, gone) => {
        const table = new RootTable();
        const rows = roots.map((one) => table.rowFor(one));
        expect(rows.map((row) => table.rootAt(row))).toEqual(roots);
        expect(rows.map((row) => table.orderAt(row))).toEqual(roots.map(orderOf));
        expect(roots.map((one) => table.rowFor(one))).toEqual(rows);
        expect(
          [...rows].sort((a, b) => table.compare(a, b)).map((row) => table.rootAt(row)),
        ).toEqual([...roots].sort(byOrder));
        const out = roots[gone % Math.max(roots.length, 1)];
        if (out === undefined) return;
        table.remove(table.rowOf(out));
        for (const one of roots) expect(table.rowOf(one) >= 0).toBe(one !== out);
        expect(table.count).toBe(roots.length - 1);
        expect(table.rootAt(table.rowFor(out))).toBe(out);
        expect(table.end).toBe(roots.length);
      }),
    );
  });

  it('takes for a root what is one, and nothing else', () => {
    const near = fc.oneof(
      root,
      fc.tuple(root, fc.nat(60), fc.string({ maxLength: 2 })).map(([one, at, more]) => {
        return one.slice(0, at) + more + one.slice(at + 1);
      }),
      fc.string(),
      fc.constant(newJobRoot(0).replace('_', '\u015f')),
    );
    fc.assert(
      fc.property(near, (name) => {
        const table = new RootTable();
        if (isJobRoot(name)) expect(table.rootAt(table.rowFor(name))).toBe(name);
        else expect(() => table.rowFor(name)).toThrow('is no job root');
        expect(table.rowOf(name)).toBe(isJobRoot(name) ? 0 : -1);
      }),
    );
  });

  it('finds what begins in a way among many thousands', () => {
    const table = new RootTable();
    const roots = Array.from({ length: 70_000 }, (_, i) => newJobRoot(i));
    for (const one of roots) table.rowFor(one);
    fc.assert(
      fc.property(
        fc.constantFrom(...roots.slice(0, 500)),
        fc.integer({ min: 4, max: 36 }),
        (one, length) => {
          const beginning = uuidOf(one).slice(0, length);
          const meant = roots.filter((other) => uuidOf(other).startsWith(beginning));
          expect([...table.beginningWith(beginning)].sort()).toEqual(meant.sort());
        },
      ),
      { numRuns: 20 },
    );
    expect(table.beginningWith('7423-')).toEqual([]);
    expect(table.beginningWith('742')).toEqual([]);
  });
});
