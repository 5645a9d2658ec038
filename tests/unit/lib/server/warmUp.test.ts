import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { warmUp } from '../../../../lib/server/warmUp.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

describe('warmUp', () => {
  let test: TestServices;
  let roots: string[];
  let asked: () => readonly string[];

  beforeEach(() => {
    test = openServices();
    roots = Array.from({ length: 20 }, (_, n) => test.addEnded(`job-${n}`, 'me', 0));
    const spy = jest.spyOn(test.services.database, 'outline');
    asked = () => spy.mock.calls.map(([root]) => root);
  });
  afterEach(() => test.close());

  const begin = (after?: Promise<unknown>) => warmUp({ ...test.services, after });

  it('asks for the jobs that whoever looks first will ask for, the newest before the others', async () => {
    const { close } = begin();
    await eventually(() => asked().length >= roots.length);
    close();
    expect(asked()).toEqual(roots.toReversed());
  });

  it('asks for nothing before all records are known, and for nothing when pman ends meanwhile', async () => {
    let known = () => {};
    const { close } = begin(
      new Promise<void>((resolve) => {
        known = resolve;
      }),
    );
    await sleep(500);
    expect(asked()).toEqual([]);
    close();
    known();
    await sleep(500);
    expect(asked()).toEqual([]);
  });
});
