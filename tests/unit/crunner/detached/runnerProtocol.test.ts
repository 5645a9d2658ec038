import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  lineReader,
  runnerSocket,
  socketPath,
} from '../../../../crunner/detached/runnerProtocol.ts';

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

describe('socketPath', () => {
  it('lies in the folder, or elsewhere when that path is too long for a socket', () => {
    expect(runnerSocket('/srv/pman.spool')).toBe('/srv/pman.spool/runner.sock');
    expect(socketPath('/srv/pman.spool', 'pman')).toBe('/srv/pman.spool/pman.sock');
    const [long, other] = [`/${'x'.repeat(200)}`, `/${'y'.repeat(200)}`];
    expect(socketPath(long, 'runner').startsWith(`${tmpdir()}/runner-`)).toBe(true);
    expect(Buffer.byteLength(socketPath(long, 'runner'))).toBeLessThan(107);
    expect(runnerSocket(long)).toBe(socketPath(long, 'runner'));
    expect(socketPath(long, 'runner')).not.toBe(socketPath(other, 'runner'));
    expect(socketPath(long, 'runner')).not.toBe(socketPath(long, 'pman'));
  });
});
