import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  endGroup,
  isAlive,
  preciseNow,
  signalGroup,
  startTicks,
} from '../../../../lib/host/processes.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const NOBODY = 2 ** 22 + 1;

/** A process group whose shell has come as far as to make the file `up`. */
async function startGroup(command: string) {
  const folder = tempDir();
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    stdio: 'ignore',
    cwd: folder,
  });
  const ended = once(child, 'exit');
  const { pid = 0 } = child;
  await eventually(() => existsSync(join(folder, 'up')), { message: 'the group to stand' });
  return { pid, ended, folder };
}

describe('isAlive', () => {
  it('knows a process, and another one of the same pid', () => {
    const self = { pid: process.pid, startedAt: 0 };
    const ticks = startTicks(process.pid) ?? '';
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, ticks })).toBe(true);
    expect(isAlive({ ...self, ticks: `${ticks}1` })).toBe(false);
    expect(isAlive({ pid: NOBODY, startedAt: 0 })).toBe(false);
  });

  it.each([0, -1])('takes %i for no process, as it names a group', (pid) => {
    expect(isAlive({ pid, startedAt: 0 })).toBe(false);
  });

  it('takes a process that has ended and was not waited for to be over', async () => {
    // The shell becomes a program that waits for nobody.
    const { pid, ended, folder } = await startGroup(
      "sh -c 'echo $$ > child' & : > up; exec sleep 60",
    );
    const { readFileSync } = await import('node:fs');
    const child = await eventually(() => Number(readFileSync(join(folder, 'child'), 'utf8')));
    await eventually(() => !isAlive({ pid: child, startedAt: 0 }), { message: 'the child to end' });
    expect(existsSync(`/proc/${child}`)).toBe(true);
    signalGroup(pid, 'SIGKILL');
    await ended;
  });
});

describe('startTicks', () => {
  it('tells the time since boot at which a process started, and nothing of none', () => {
    expect(startTicks(process.pid)).toMatch(/^\d+$/);
    expect(startTicks(1)).toMatch(/^\d+$/);
    expect(startTicks(NOBODY)).toBeUndefined();
  });
});

describe('preciseNow', () => {
  it('is the time of the clock, with fractions', () => {
    expect(Math.abs(preciseNow() - Date.now())).toBeLessThan(1000);
    const moments = Array.from({ length: 20 }, preciseNow);
    expect(moments.some((moment) => moment % 1 !== 0)).toBe(true);
  });
});

describe('preciseNow, when the clock is set,', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([3_600_000, -3_600_000])('goes with it (%d ms)', (stepMs) => {
    const real = Date.now.bind(Date);
    expect(Math.abs(preciseNow() - real())).toBeLessThan(60);
    jest.spyOn(Date, 'now').mockImplementation(() => real() + stepMs);
    expect(Math.abs(preciseNow() - real() - stepMs)).toBeLessThan(60);
    jest.restoreAllMocks();
    expect(Math.abs(preciseNow() - real())).toBeLessThan(60);
  });
});

describe('signalGroup', () => {
  it('says that nobody got the signal', () => {
    expect(signalGroup(NOBODY, 'SIGTERM')).toBe(false);
    expect(signalGroup(NOBODY, 0)).toBe(false);
  });
});

describe('endGroup', () => {
  it('is content with a group that ends at the signal', async () => {
    const { pid, ended } = await startGroup(': > up; sleep 60 & wait');
    const start = performance.now();
    await endGroup(pid, 'SIGTERM', 20_000);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(signalGroup(pid, 0)).toBe(false);
  });

  it('kills what ignores the signal once the grace is over', async () => {
    const { pid, ended } = await startGroup('trap "" TERM; : > up; while :; do sleep 0.05; done');
    const start = performance.now();
    await endGroup(pid, 'SIGTERM', 300);
    expect(performance.now() - start).toBeGreaterThan(250);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it('kills at once without a grace', async () => {
    const { pid, ended } = await startGroup('trap "" TERM; : > up; while :; do sleep 0.05; done');
    await endGroup(pid, 'SIGTERM', 0);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it('ends a group that is stopped', async () => {
    const { pid, ended } = await startGroup(': > up; kill -STOP $$; sleep 60');
    await endGroup(pid, 'SIGTERM', 20_000);
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  it('has nothing to do for a group that has gone', async () => {
    await endGroup(NOBODY, 'SIGTERM', 20_000);
  });
});
