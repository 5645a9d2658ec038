import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SoughtText } from '../../../../../lib/records/index/soughtText.ts';
import { Texts } from '../../../../../lib/records/index/texts.ts';

/** Half of a pair alone cannot be told in UTF-8, and a long text has a piece of its own. */
const text = fc.oneof(
  fc.constantFrom('', 'a', 'ü', '\ud800', '\udc00\ud800', '\u0000', 'x'.repeat(9000)),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

describe('Texts', () => {
  it('gives each text one number for as long as somebody holds it, whatever comes and goes', () => {
    const step = fc.record({ isHeld: fc.boolean(), text });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const texts = new Texts();
        const model = new Map<string, { id: number; holds: number }>();
        for (const one of steps) {
          const known = model.get(one.text);
          if (one.isHeld) {
            const id = texts.hold(one.text);
            if (known !== undefined) expect(id).toBe(known.id);
            model.set(one.text, { id, holds: (known?.holds ?? 0) + 1 });
          } else if (known !== undefined) {
            expect(texts.release(known.id)).toBe(known.holds === 1);
            if (known.holds === 1) model.delete(one.text);
            else known.holds -= 1;
          }
          for (const [held, { id }] of model)
            expect([texts.get(id), texts.find(held)]).toEqual([held, id]);
          expect(texts.find(one.text)).toBe(model.get(one.text)?.id ?? -1);
        }
        expect(new Set([...model.values()].map(({ id }) => id)).size).toBe(model.size);
      }),
    );
  });

  it('finds a text in another one as small letters do', () => {
    const letters = fc.constantFrom(
      'a',
      'A',
      'k',
      'K',
      '\u212a',
      'i',
      'İ',
      'ß',
      'Σ',
      '\ud800',
      '-',
      '[',
      '@',
    );
    const word = (maxLength: number) => fc.string({ unit: letters, maxLength });
    fc.assert(
      fc.property(word(20), word(3), (held, sought) => {
        const texts = new Texts();
        const isIn = held.toLowerCase().includes(sought.toLowerCase());
        expect(texts.has(texts.hold(held), new SoughtText(sought))).toBe(isIn);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds it in each of many texts, also in those that come and go during the search', () => {
    const letters = fc.constantFrom('a', 'B', 'b', ' ', 'ü');
    const held = fc.oneof(
      { weight: 9, arbitrary: fc.string({ unit: letters, maxLength: 8 }) },
      // So often in one piece that its places are not noted.
      {
        weight: 1,
        arbitrary: fc.constantFrom('ab'.repeat(4000), 'K'.repeat(9000), 'b'.repeat(7000)),
      },
    );
    const step = fc.record({ text: held, isReleased: fc.boolean() });
    const sought = fc.string({ unit: fc.constantFrom('a', 'b', 'k', ' '), maxLength: 3 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), sought, (steps, small) => {
        const texts = new Texts();
        const ids = new Map<number, string>();
        const search = new SoughtText(small);
        for (const { text: one, isReleased } of steps) {
          const id = texts.hold(one);
          ids.set(id, one);
          for (const [known, its] of ids)
            expect(texts.has(known, search)).toBe(its.toLowerCase().includes(small));
          if (isReleased && texts.release(id)) ids.delete(id);
        }
      }),
    );
  });

  it('gives memory back when its texts are gone, and takes no more for as many others', () => {
    const texts = new Texts();
    const round = (n: number) =>
      Array.from({ length: 10_000 }, (_, i) => texts.hold(`text ${i} of round ${n}`));
    let held = round(0);
    const highest = Math.max(...held);
    const before = texts.bytes;
    for (let n = 1; n < 20; n += 1) {
      for (const id of held) texts.release(id);
      held = round(n);
      expect(Math.max(...held)).toBe(highest);
    }
    expect(texts.bytes).toBeLessThan(2 * before);
    for (const [i, id] of held.entries()) expect(texts.get(id)).toBe(`text ${i} of round 19`);
  });
});
