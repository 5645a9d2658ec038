import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isAlive, signalGroup, startTicks } from '../../../../lib/host/processes.ts';
import { isYetToAct } from '../../../../lib/host/processTable.ts';
import { endTree } from '../../../../lib/host/processTree.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { within } from '../../../helpers/patience.ts';
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
    const self = { pid: process.pid };
    const ticks = startTicks(process.pid) ?? '';
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, ticks })).toBe(true);
    expect(isAlive({ ...self, ticks: `${ticks}1` })).toBe(false);
    expect(isAlive({ pid: NOBODY })).toBe(false);
  });

  it.each([0, -1])('takes %i for no process, as it names a group', (pid) => {
    expect(isAlive({ pid })).toBe(false);
  });

  it('takes a process that has ended and was not waited for to be over', async () => {
    const endsWhenTold = 'echo $$ > pid; mv pid child; until [ -e go ]; do sleep 0.01; done';
    const { pid, ended, folder } = await startGroup(
      `sh -c '${endsWhenTold}' & : > up; exec sleep 60`,
    );
    const child = await eventually(() => Number(readFileSync(join(folder, 'child'), 'utf8')));
    // The shell becomes a program that waits for nobody.
    await eventually(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
    expect(isAlive({ pid: child })).toBe(true);
    writeFileSync(join(folder, 'go'), '');
    await eventually(() => !isAlive({ pid: child }), { message: 'the child to end' });
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

describe('signalGroup', () => {
  it('says that nobody got the signal', () => {
    expect(signalGroup(NOBODY, 'SIGTERM')).toBe(false);
    expect(signalGroup(NOBODY, 0)).toBe(false);
  });
});

describe('isYetToAct', () => {
  it.each([
    ['has yet to end what does not know it', ': > up; exec sleep 60', true],
    ['does nothing more to what ignores it', "trap '' TERM; : > up; exec sleep 60", false],
    ['does nothing more to what has caught it', 'trap : TERM; : > up; sleep 60; sleep 60', false],
  ])('says that a signal %s', async (_, command, isYet) => {
    const { pid, ended } = await startGroup(command);
    try {
      await eventually(() => isYetToAct(pid, 'SIGTERM') === isYet);
    } finally {
      signalGroup(pid, 'SIGKILL');
      await ended;
    }
    expect(isYetToAct(pid, 'SIGTERM')).toBe(false);
  });

  it('says so of what is stopped, also when that has caught it', async () => {
    const { pid, ended } = await startGroup('trap "exit 3" TERM; : > up; while :; do :; done');
    // One that has ended takes no more signals.
    const limit = setTimeout(() => signalGroup(pid, 'SIGKILL'), within(5000));
    signalGroup(pid, 'SIGSTOP');
    await eventually(() => /^State:\s*T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1')));
    signalGroup(pid, 'SIGTERM');
    const wasYetToAct = isYetToAct(pid, 'SIGTERM');
    signalGroup(pid, 'SIGCONT');
    expect(await ended).toEqual([3, null]);
    clearTimeout(limit);
    expect(wasYetToAct).toBe(true);
    expect(isYetToAct(pid, 'SIGTERM')).toBe(false);
  });
});

describe('endTree', () => {
  it('is content with a group that ends at the signal', async () => {
    const { pid, ended } = await startGroup(': > up; sleep 60 & wait');
    const start = performance.now();
    await endTree(pid, 'SIGTERM', 20_000);
    expect(performance.now() - start).toBeLessThan(within(5000));
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(signalGroup(pid, 0)).toBe(false);
  });

  it('kills what ignores the signal once the grace is over', async () => {
    const { pid, ended } = await startGroup('trap "" TERM; : > up; while :; do sleep 0.05; done');
    const start = performance.now();
    await endTree(pid, 'SIGTERM', 300);
    expect(performance.now() - start).toBeGreaterThan(250);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it('kills at once without a grace', async () => {
    const { pid, ended } = await startGroup('trap "" TERM; : > up; while :; do sleep 0.05; done');
    await endTree(pid, 'SIGTERM', 0);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it('ends a group that is stopped', async () => {
    const { pid, ended } = await startGroup(': > up; kill -STOP $$; sleep 60');
    await endTree(pid, 'SIGTERM', 20_000);
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  it('has nothing to do for a group that has gone', async () => {
    await endTree(NOBODY, 'SIGTERM', 20_000);
  });
});
