import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sessionUse } from '../../../../lib/host/sessionUse.ts';
import { eventually } from '../../../helpers/eventually.ts';

let end = () => {};
afterEach(() => end());

describe('what a session takes', () => {
  it('is the time and memory of its leader and of what that has started', async () => {
    const child = spawn('/bin/sh', ['-c', 'sh -c "while :; do :; done" & wait'], {
      detached: true,
    });
    const { pid = 0 } = child;
    end = () => process.kill(-pid, 'SIGKILL');
    await eventually(() => (sessionUse(new Set([pid])).get(pid)?.cpuSeconds ?? 0) > 0.05);
    expect(sessionUse(new Set([pid])).get(pid)?.memoryBytes).toBeGreaterThan(100_000);
    expect(sessionUse(new Set()).size).toBe(0);
  });

  it('is nothing when it has gone', () => {
    expect(sessionUse(new Set([2 ** 22 + 1])).size).toBe(0);
  });
});
