import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lineReader } from '../../../../crunner/detached/runnerProtocol.ts';

describe('lineReader', () => {
  it('gives every message once and in order, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat(200)), (messages, cuts) => {
        const stream = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
        const read: unknown[] = [];
        const take = lineReader((message) => read.push(message));
        const places = [0, ...cuts.filter((at) => at < stream.length).sort((a, b) => a - b)];
        for (const [i, at] of places.entries()) take(stream.slice(at, places[i + 1]));
        expect(read).toEqual(messages.map((message) => JSON.parse(JSON.stringify(message))));
      }),
    );
  });
});
