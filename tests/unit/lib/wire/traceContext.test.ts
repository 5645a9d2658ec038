import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { traceContextIn, traceVariables } from '../../../../lib/wire/traceContext.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('traceContextIn', () => {
  it('gives what a good pair of headers says, whatever the case of their names', () => {
    const context = traceContextIn([
      ['Host', 'x'],
      ['TraceParent', PARENT],
      ['tracestate', 'rojo=00f067aa0ba902b7 ,'],
      ['Tracestate', 'tenant@vendor=t61rcWkgMzE'],
    ]);
    expect(context).toEqual({
      traceparent: PARENT,
      tracestate: 'rojo=00f067aa0ba902b7,tenant@vendor=t61rcWkgMzE',
    });
    expect(context && traceVariables(context)).toEqual({
      TRACEPARENT: PARENT,
      TRACESTATE: 'rojo=00f067aa0ba902b7,tenant@vendor=t61rcWkgMzE',
    });
  });

  it.each([
    ['nothing', ''],
    ['letters that are large', PARENT.toUpperCase()],
    ['no trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['no parent', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['the version that is none', PARENT.replace(/^00/, 'ff')],
    ['more than version 00 has', `${PARENT}-more`],
    ['less than it has', PARENT.slice(0, -1)],
    ['a line break', `${PARENT}\nx`],
  ])('ignores one with %s', (_what, value) => {
    expect(traceContextIn([['traceparent', value]])).toBeUndefined();
  });

  it('takes what later versions have more', () => {
    const later = `${PARENT.replace(/^00/, 'cc')}-what-the-future-brings`;
    expect(traceContextIn([['traceparent', later]])?.traceparent).toBe(later);
  });

  it('ignores two of them, and a state without a parent', () => {
    expect(
      traceContextIn([
        ['traceparent', PARENT],
        ['Traceparent', PARENT],
      ]),
    ).toBeUndefined();
    expect(traceContextIn([['tracestate', 'a=1']])).toBeUndefined();
  });

  it.each(['a', 'A=1', 'a=1,a=2', 'a=', 'a=x\u0001', `a=${'x'.repeat(257)}`, '=1', 'a=b=c'])(
    'leaves the state %j out',
    (state) => {
      expect(
        traceContextIn([
          ['traceparent', PARENT],
          ['tracestate', state],
        ]),
      ).toEqual({ traceparent: PARENT });
    },
  );

  it('gives nothing that could change an environment otherwise', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (parent, state) => {
        const context = traceContextIn([
          ['traceparent', parent],
          ['tracestate', state],
        ]);
        for (const value of Object.values(context ?? {})) expect(value).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});
