import { describe, expect, it } from '@jest/globals';
import { mergedOver } from '../../../openshift/merge.ts';

describe('mergedOver', () => {
  it('lets what lies over win, and keeps the rest', () => {
    expect(mergedOver({ a: 1, b: { c: 1, d: 1 } }, { b: { c: 2 } })).toEqual({
      a: 1,
      b: { c: 2, d: 1 },
    });
  });

  it('has each thing with a name once, in the order of what lies over', () => {
    const under = { list: [{ name: 'x', a: 1, b: 1 }, { name: 'y' }] };
    expect(mergedOver(under, { list: [{ name: 'z' }, { name: 'x', a: 2 }] })).toEqual({
      list: [{ name: 'z' }, { name: 'x', a: 2, b: 1 }, { name: 'y' }],
    });
  });

  it('tells mounts apart by their paths', () => {
    const under = { mounts: [{ mountPath: '/a', readOnly: true }] };
    expect(mergedOver(under, { mounts: [{ mountPath: '/b' }] })).toEqual({
      mounts: [{ mountPath: '/b' }, { mountPath: '/a', readOnly: true }],
    });
  });

  it('keeps both of other lists', () => {
    expect(mergedOver({ list: [1] }, { list: [2] })).toEqual({ list: [2, 1] });
  });

  it('takes a name for itself that objects have by birth', () => {
    expect(mergedOver({}, { constructor: 1 })).toEqual({ constructor: 1 });
  });
});
