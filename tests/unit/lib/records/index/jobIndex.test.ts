import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobIndex } from '../../../../../lib/records/index/jobIndex.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import type { JsonValue } from '../../../../../lib/wire/json.ts';
import { within } from '../../../../helpers/patience.ts';

const NAMES = Array.from({ length: 31 }, (_, n) => newJobRoot(n));
const [a, b] = NAMES as [string, string];
const WORDS = ['', 'j', 'J', 'constructor', '__proto__', 'ü'] as const;

describe('JobIndex', () => {
  it('finds the same jobs, in the same order, as a look at each of them', () => {
    const value = fc.option(fc.constantFrom<JsonValue>(...WORDS, 1, true), { nil: undefined });
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ root: fc.nat(30), jid: value, auid: value }),
      },
      fc.record({ gone: fc.uniqueArray(fc.nat(30), { maxLength: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const index = new JobIndex();
        const model = new Map<
          string,
          { jid?: JsonValue | undefined; auid?: JsonValue | undefined }
        >();
        const nameOf = (n: number) => NAMES[n] ?? '';
        for (const step of steps) {
          if ('gone' in step) {
            index.remove(new Set(step.gone.map(nameOf)));
            for (const n of step.gone) model.delete(nameOf(n));
          } else {
            const { root, ...values } = step;
            const known = Object.entries(values).filter(([, it]) => it !== undefined);
            index.put(nameOf(root), Object.fromEntries(known));
            model.set(nameOf(root), values);
          }
          const roots = [...model.keys()].sort();
          expect([...index.roots()]).toEqual(roots);
          for (const key of ['jid', 'auid'] as const) {
            for (const word of WORDS) {
              const meant = roots.filter((root) => model.get(root)?.[key] === word);
              expect([...(index.find(key, word) ?? [])]).toEqual(meant);
              expect([...index.in(key, word)]).toEqual(meant);
            }
          }
          for (let n = 0; n <= 30; n += 1) expect(index.has(nameOf(n))).toBe(model.has(nameOf(n)));
        }
      }),
    );
  });

  it('finds an integer jid by its number, which is stored as its text; an auid is a text', () => {
    const index = new JobIndex();
    index.put(a, { jid: '1' });
    expect(index.find('jid', 1)).toEqual([a]);
    expect(index.find('jid', 1.5)).toEqual([]);
    expect(index.find('auid', 1)).toEqual([]);
    expect(index.find('jid', '1')).toEqual([a]);
  });

  it('says that it cannot tell for other leaves', () => {
    expect(new JobIndex().find('cmd', 'x')).toBeUndefined();
    expect(new JobIndex().find('__proto__', 'x')).toBeUndefined();
  });

  it('forgets ten thousand jobs of one user in no time', () => {
    const index = new JobIndex();
    const roots = Array.from({ length: 10_000 }, (_, i) => newJobRoot(i));
    for (const root of roots) index.put(root, { jid: root, auid: 'me', key: root });
    const start = performance.now();
    index.remove(new Set(roots));
    expect(performance.now() - start).toBeLessThan(within(1000));
    expect([...index.roots()]).toEqual([]);
    expect(index.find('auid', 'me')).toEqual([]);
    expect(index.withKey(roots[0] ?? '')).toBeUndefined();
  });

  it('learns how a job has ended', () => {
    const index = new JobIndex();
    index.put(a, { jid: '1' });
    expect(index.get(a)?.status).toBeUndefined();
    index.put(a, { jid: '1', status: 'finishedWithError' });
    expect(index.get(a)).toEqual({ jid: '1', status: 'finishedWithError' });
    expect([...index.roots()]).toEqual([a]);
    expect(index.find('jid', '1')).toEqual([a]);
    expect(index.get(b)).toBeUndefined();
  });

  it('finds the job of a key for as long as it is there, whatever else has had the key', () => {
    const index = new JobIndex();
    expect(index.withKey('k')).toBeUndefined();
    index.put(a, { key: 'k', digest: '1' });
    expect(index.withKey('k')).toBe(a);
    index.put(b, { key: 'k', digest: '2' });
    index.remove(new Set([a]));
    expect(index.withKey('k')).toBe(b);
    index.remove(new Set([b]));
    expect(index.withKey('k')).toBeUndefined();
  });
});
