import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { socketPath } from '../../../../lib/host/socketPath.ts';

describe('socketPath', () => {
  it('lies in the folder, or elsewhere when that path is too long for a socket', () => {
    expect(socketPath('/srv/pman.spool', 'pman')).toBe('/srv/pman.spool/pman.sock');
    const [long, other] = [`/${'x'.repeat(200)}`, `/${'y'.repeat(200)}`];
    expect(socketPath(long, 'runner').startsWith(`${tmpdir()}/runner-`)).toBe(true);
    expect(Buffer.byteLength(socketPath(long, 'runner'))).toBeLessThan(107);
    expect(socketPath(long, 'runner')).not.toBe(socketPath(other, 'runner'));
    expect(socketPath(long, 'runner')).not.toBe(socketPath(long, 'pman'));
  });
});
