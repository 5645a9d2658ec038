import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ownRecords } from '../../../../lib/records/ownRecords.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let host: TestServices;
let mine = '';
let other = '';
beforeEach(() => {
  host = openServices();
  mine = host.addEnded('mine', 'me', 0);
  other = host.addEnded('other', 'you', 0);
});
afterEach(() => host.close());

describe('ownRecords', () => {
  it('shows the jobs of one auid, and the others are not there', async () => {
    const own = ownRecords(host.services.database, 'me');
    expect([...own.roots()]).toEqual([mine]);
    expect([own.has(mine), own.has(other)]).toEqual([true, false]);
    expect([own.tree(mine) === undefined, own.tree(other)]).toEqual([false, undefined]);
    expect([own.outline(mine) === undefined, own.outline(other)]).toEqual([false, undefined]);
    expect([own.summary(mine)?.jid, own.summary(other)]).toEqual(['mine', undefined]);
    expect([...(await own.find('jid', 'mine'))]).toEqual([mine]);
    expect([...(await own.find('jid', 'other'))]).toEqual([]);
    expect([...(await own.find('jobRoot', other))]).toEqual([]);
    expect([...(await own.find('id', own.shortNameOf(mine)))]).toEqual([mine]);
    expect(own.named(host.services.database.shortNameOf(other))).toBeUndefined();
    await own.remove([mine, other]);
    expect([...host.services.database.roots()]).toEqual([other]);
  });

  it.each(['edit', 'save', 'add', 'reload', 'unfinished', 'somethingNew'])(
    'refuses %s, as all that it does not know',
    (name) => {
      const own = ownRecords(host.services.database, 'me');
      expect(() => Reflect.get(own, name)).toThrow('a token with an auid cannot do this');
    },
  );

  it('does not show a job of no auid to a token of the empty one', () => {
    expect([...ownRecords(host.services.database, '').roots()]).toEqual([]);
  });
});
