import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TreeCache } from '../../../../lib/records/cache.ts';
import { TreeNode } from '../../../../lib/tree/node.ts';

const MEBI = 1024 * 1024;
const tree = (): TreeNode => new TreeNode();
const always = () => true;

/** Of these names, those that the cache still holds. */
const heldOf = (cache: TreeCache, ...roots: string[]) =>
  roots.filter((root) => cache.get(root) !== undefined);

describe('TreeCache', () => {
  it('gives back the very tree that was put in', () => {
    const cache = new TreeCache(always);
    const one = tree();
    cache.put('a', one, 1);
    expect(cache.get('a')).toBe(one);
    expect(cache.get('b')).toBeUndefined();
    cache.remove('a');
    expect(cache.get('a')).toBeUndefined();
  });

  it('lets the ones go that were used longest ago once the budget is spent', () => {
    const cache = new TreeCache(always);
    for (const root of ['a', 'b', 'c']) cache.put(root, tree(), 2.5 * MEBI);
    cache.get('a');
    cache.put('d', tree(), 2.5 * MEBI);
    expect(heldOf(cache, 'a', 'b', 'c', 'd')).toEqual(['a', 'c', 'd']);
  });

  it('keeps a pinned tree until it is unpinned', () => {
    const cache = new TreeCache(always);
    cache.pin('a', tree());
    expect(cache.isPinned('a')).toBe(true);
    cache.weigh('a', 40 * MEBI);
    cache.put('b', tree(), 2.5 * MEBI);
    expect(heldOf(cache, 'a')).toEqual(['a']);
    cache.unpin('a');
    expect(cache.isPinned('a')).toBe(false);
    expect(heldOf(cache, 'a')).toEqual([]);
  });

  it('keeps a tree pinned that is put in again', () => {
    const cache = new TreeCache(always);
    const one = tree();
    cache.put('a', one, 2.5 * MEBI);
    cache.pin('a', one);
    cache.put('a', one, 40 * MEBI);
    expect(cache.isPinned('a')).toBe(true);
    expect(cache.get('a')).toBe(one);
  });

  it('forgets the pin of what is removed', () => {
    const cache = new TreeCache(always);
    cache.pin('a', tree());
    cache.remove('a');
    expect(cache.isPinned('a')).toBe(false);
  });

  it('does not take an outline for a record, and holds one of the two', () => {
    const cache = new TreeCache(always);
    const [outline, whole] = [tree(), tree()];
    cache.put('a', outline, 6 * MEBI, true);
    expect(cache.outline('a')).toBe(outline);
    expect(cache.get('a')).toBeUndefined();
    cache.put('a', whole, 6 * MEBI);
    expect(cache.outline('a')).toBe(whole);
    expect(cache.get('a')).toBe(whole);
  });

  it('lets nothing go that the disk does not hold yet', () => {
    const unwritten = new Set(['a']);
    const cache = new TreeCache((root) => !unwritten.has(root));
    cache.put('a', tree(), 40 * MEBI);
    cache.put('b', tree(), 1);
    expect(heldOf(cache, 'a', 'b')).toEqual(['a']);
    unwritten.clear();
    cache.weigh('a', 40 * MEBI);
    cache.put('c', tree(), 1);
    expect(heldOf(cache, 'a', 'c')).toEqual(['c']);
  });

  it('does not go through all that cannot go, whenever one is written', () => {
    const unwritten = new Set(Array.from({ length: 1000 }, (_, k) => String(k)));
    let looks = 0;
    const cache = new TreeCache((root) => {
      looks += 1;
      return !unwritten.has(root);
    });
    for (const root of unwritten) cache.put(root, tree(), 0);
    looks = 0;
    for (const root of [...unwritten]) {
      unwritten.delete(root);
      cache.weigh(root, MEBI);
    }
    expect(looks).toBeLessThan(10_000);
    expect(heldOf(cache, '0', '990', '995', '999')).toEqual(['995', '999']);
  });

  it('never holds more than its budget of what may go, and never loses what may not', () => {
    const root = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const step = fc.record({
      root,
      what: fc.constantFrom('put', 'pin', 'unpin', 'weigh', 'grow', 'remove', 'get'),
      mebi: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const cache = new TreeCache(always);
        const weights = new Map<string, number>();
        const pinned = new Set<string>();
        for (const { root, what, mebi } of steps) {
          const weight = mebi * MEBI;
          if (what === 'put') {
            cache.put(root, tree(), weight);
            weights.set(root, weight);
          } else if (what === 'pin') {
            const known = cache.get(root);
            cache.pin(root, known ?? tree());
            if (known === undefined) weights.set(root, 0);
            pinned.add(root);
          } else if (what === 'unpin') {
            cache.unpin(root);
            pinned.delete(root);
          } else if (what === 'weigh') {
            cache.weigh(root, weight);
            if (weights.has(root)) weights.set(root, weight);
          } else if (what === 'grow') {
            cache.grow(root, weight);
            weights.set(root, (weights.get(root) ?? 0) + weight);
          } else if (what === 'remove') {
            cache.remove(root);
            weights.delete(root);
            pinned.delete(root);
          } else cache.get(root);
          const held = heldOf(cache, 'a', 'b', 'c', 'd', 'e', 'f');
          for (const gone of [...weights.keys()].filter((name) => !held.includes(name))) {
            expect(pinned).not.toContain(gone);
            weights.delete(gone);
          }
          const total = [...weights.values()].reduce((sum, one) => sum + one, 0);
          if (total > 8 * MEBI) expect(held.filter((name) => !pinned.has(name))).toEqual([]);
        }
      }),
    );
  });
});
