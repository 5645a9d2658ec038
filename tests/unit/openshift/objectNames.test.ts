import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLabel, objectName, ownerMarks, refuseName } from '../../../openshift/objectNames.ts';

const LEGAL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

describe('objectName', () => {
  it('keeps what Kubernetes takes', () => {
    expect(objectName('job-1')).toBe('job-1');
    expect(objectName('a'.repeat(52))).toBe('a'.repeat(52));
  });

  it('makes of any other name a legal one, always the same, with letters that tell it', () => {
    expect(objectName('Job_1')).toMatch(/^job-1-[0-9a-f]{12}$/);
    expect(objectName('Job_1')).toBe(objectName('Job_1'));
    expect(objectName('🙂')).toMatch(/^job-[0-9a-f]{12}$/);
  });

  it('is legal for any text, short enough for the names of pods, and different for different texts', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
        const [a, b] = [objectName(one), objectName(other)];
        expect(a).toMatch(LEGAL);
        expect(a.length).toBeLessThanOrEqual(52);
        expect(a === b).toBe(one === other);
      }),
    );
  });
});

describe('refuseName', () => {
  it.each(['', 'a/b', 'a\nb', 'x'.repeat(254)])('refuses %j in words', (name) => {
    expect(() => refuseName(name)).toThrow(/cannot name/);
  });

  it.each(['Job 1', 'ü', 'x'.repeat(253)])('takes %j', (name) => {
    expect(() => refuseName(name)).not.toThrow();
  });
});

describe('what marks an object as ours', () => {
  it('is legal as labels, whatever the owner is called', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (instance, name) => {
        const { labels } = ownerMarks(name, { job: 'j', instance, jid: 'a b', auid: '' });
        for (const [key, value] of Object.entries(labels)) expect(isLabel(key, value)).toBe(true);
      }),
    );
  });

  it.each([
    ['a', 'b', true],
    ['example.org/a', '', true],
    ['a/b/c', 'd', false],
    ['-a', 'b', false],
    ['a', 'b c', false],
    ['a', 'x'.repeat(64), false],
    ['', 'b', false],
  ])('takes the label %j=%j: %s', (key, value, isLegal) => {
    expect(isLabel(key, value)).toBe(isLegal);
  });
});
