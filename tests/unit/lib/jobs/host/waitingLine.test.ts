import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WaitingLine } from '../../../../../lib/jobs/host/waitingLine.ts';

const request = { parts: ['true'], owner: null };

describe('jobs that wait for their turn', () => {
  it('have the places that their order says, whoever comes and goes', () => {
    const step = fc.tuple(
      fc.constantFrom('add', 'remove', 'next'),
      fc.integer({ min: 0, max: 12 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const line = new WaitingLine();
        let model: string[] = [];
        for (const [what, number] of steps) {
          const root = what === 'next' ? model[0] : `job-${number}`;
          if (root === undefined) continue;
          if (what === 'add') line.add(root, request);
          else line.remove(root);
          const isKnown = model.includes(root);
          if (what !== 'add') model = model.filter((one) => one !== root);
          else if (!isKnown) model.push(root);
          expect([...line.roots]).toEqual(model);
          expect(line.first?.[0]).toBe(model[0]);
          expect(line.size).toBe(model.length);
          expect(model.map((one) => line.place(one))).toEqual(model.map((_, i) => i + 1));
          expect(line.place('nobody')).toBeUndefined();
        }
      }),
    );
  });
});
