import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { atOnce } from '../../../../lib/concurrency/turns.ts';
import { sessionUse } from '../../../../lib/host/sessionUse.ts';
import { eventually } from '../../../helpers/eventually.ts';

const useOf = (leaders: ReadonlySet<number>) => atOnce(sessionUse(leaders));

let end = () => {};
afterEach(() => end());

describe('what a session takes', () => {
  it('is the time and memory of its leader and of what that has started', async () => {
    const child = spawn('/bin/sh', ['-c', 'sh -c "while :; do :; done" & wait'], {
      detached: true,
    });
    const { pid = 0 } = child;
    end = () => process.kill(-pid, 'SIGKILL');
    await eventually(() => (useOf(new Set([pid])).get(pid)?.cpuSeconds ?? 0) > 0.05);
    expect(useOf(new Set([pid])).get(pid)?.memoryBytes).toBeGreaterThan(100_000);
    expect(useOf(new Set()).size).toBe(0);
  });

  it('is nothing when it has gone', () => {
    expect(useOf(new Set([2 ** 22 + 1])).size).toBe(0);
  });
});
