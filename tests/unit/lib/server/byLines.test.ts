import { describe, expect, it } from '@jest/globals';
import type { RequestHead } from '../../../../lib/gateway/types.ts';
import { byLines } from '../../../../lib/server/byLines.ts';

const head = (lines?: object): RequestHead => ({
  ...{ method: 'GET', target: '/', httpVersion: '1.1', rawHeaders: [], lines },
  authorization: undefined,
});

describe('what is worked out of header lines', () => {
  it('is worked out once where the gateway knows the lines, and each time where it does not', () => {
    let count = 0;
    const number = byLines(() => {
      count += 1;
      return { number: count };
    });
    const [first, second] = [{}, {}];
    const asked = [head(first), head(second), head(first), head(), head()];
    expect(asked.map((each) => number(each).number)).toEqual([1, 2, 1, 3, 4]);
  });

  it('is tried again after a failure', () => {
    let isBroken = true;
    const work = byLines(() => {
      if (isBroken) throw new Error('no');
      return {};
    });
    const lines = {};
    expect(() => work(head(lines))).toThrow('no');
    isBroken = false;
    expect(work(head(lines))).toBe(work(head(lines)));
  });
});
