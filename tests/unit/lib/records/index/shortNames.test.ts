import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobIndex } from '../../../../../lib/records/index/jobIndex.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';

const rootOf = (uuid: string) => `20261122063520.151489_${uuid}`;
const A = rootOf('7423dd61-31d2-4e6d-be15-e32e0c01f44d');
const B = rootOf('7423dd61-99d2-4e6d-be15-e32e0c01f44d');

function names(...roots: readonly string[]): JobIndex {
  const made = new JobIndex();
  for (const root of roots) made.put(root, {});
  return made;
}

describe('a short name', () => {
  it('of 4 characters or more finds its job, in upper case too', () => {
    const known = names(A);
    for (const name of ['7423', '7423DD61', '7423dd61-31d2', A.split('_')[1] ?? ''])
      expect(known.withShortName(name)).toBe(A);
  });

  it.each(['', '742', '7423x', '7424', '-742', '20261122063520', '__proto__'])(
    'is none: %j',
    (name) => {
      expect(names(A).withShortName(name)).toBeUndefined();
    },
  );

  it('that means two jobs is refused, with the ids to choose from', () => {
    const known = names(A, B);
    expect(() => known.withShortName('7423')).toThrow(
      expect.objectContaining({
        code: 'conflict',
        message: '2 jobs have an id that begins with 7423',
        hint: expect.stringContaining('7423dd61-99d2'),
      }),
    );
    known.remove(new Set([A]));
    expect(known.withShortName('7423')).toBe(B);
  });

  it('is as long as it has to be', () => {
    expect(names(A).shortNameOf(A)).toBe('7423dd61');
    expect(names(A, B).shortNameOf(A)).toBe('7423dd61-3');
  });

  it('of any job finds that job among many', () => {
    const roots = Array.from({ length: 2000 }, () => newJobRoot(Date.now()));
    const known = names(...roots);
    fc.assert(
      fc.property(fc.constantFrom(...roots), (root) => {
        expect(known.withShortName(known.shortNameOf(root))).toBe(root);
      }),
    );
  });
});
