import { describe, expect, it } from '@jest/globals';
import { nearName } from '../../../../lib/wire/nearName.ts';

const known = [
  'timeout',
  'threaded',
  'cmd',
  'cwd',
  'auid',
  'jid',
  'nice',
  'memory_limit',
  'do',
  'dbpath',
];

describe('nearName', () => {
  it.each([
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['timeoutt', 'timeout'],
    ['treaded', 'threaded'],
    ['Threaded', 'threaded'],
    ['DBPATH', 'dbpath'],
    ['memorylimit', 'memory_limit'],
    ['niec', 'nice'],
    ['JID', 'jid'],
    ['note', undefined],
    ['gid', 'jid'],
    ['cwdd', 'cwd'],
    ['cdw', 'cwd'],
    ['pw', undefined],
    ['time', undefined],
    ['op', undefined],
    ['__proto__', undefined],
    ['', undefined],
  ])('takes %j for %p', (name, meant) => {
    expect(nearName(name, known)).toBe(meant);
  });
});
