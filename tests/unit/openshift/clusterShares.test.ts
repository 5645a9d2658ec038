import { describe, expect, it } from '@jest/globals';
import { clusterShares } from '../../../openshift/clusterShares.ts';

describe('clusterShares', () => {
  const node = clusterShares({ storage: { kind: 'hostPath' }, storeBase: undefined });
  const claim = (storeBase?: string) =>
    clusterShares({ storage: { kind: 'pvc', claim: 'c' }, storeBase });

  it('takes a full path for a folder of the node, which is waited for', () => {
    expect(node('/data/a', 'j')).toEqual({ awaited: '/data/a', shareDir: '/data/a' });
    const mapped = clusterShares({ storage: { kind: 'hostPath' }, storeBase: '/node' });
    expect(mapped('/data/a', 'j')).toEqual({ awaited: '/data/a', shareDir: '/node/a' });
  });

  it('takes another text for the folder of the key, as the original does', () => {
    expect(node('x', 'j1')).toEqual({ shareDir: '/tmp/share/key-j1' });
  });

  it.each([
    ['/store', '/store/users/a', 'users/a'],
    ['/store/', '/store/a', 'a'],
    ['/store', '/elsewhere/a', 'a'],
    ['/store', '/store/../etc/a', 'a'],
    [undefined, '/any/key-1', 'key-1'],
  ])('with STOREBASE %s finds %s in the claim as %s', (base, asked, folder) => {
    expect(claim(base)(asked, 'j')).toEqual({ shareDir: folder });
  });

  it.each(['..', 'a/..'])('refuses %s, which names no folder of the claim', (asked) => {
    expect(() => claim()(asked, 'j')).toThrow(/names no folder/);
  });

  it('shares nothing by a folder under swift', () => {
    const storage = { kind: 'swift', publisherImage: 'p' } as const;
    expect(clusterShares({ storage, storeBase: undefined })('/a', 'j')).toEqual({});
  });
});
