import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  isAlive,
  preciseNow,
  returncodeOf,
  signalGroup,
  startPart,
  startTicks,
} from '../../../crunner/part.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempDir.ts';

let top = '';
beforeEach(() => {
  top = tempDir();
});

const start = (command: string, more: { cwd?: string; env?: Record<string, string> } = {}) =>
  startPart({
    command,
    out: join(top, 'out'),
    err: join(top, 'err'),
    script: join(top, 'script'),
    ...more,
  });
const written = (name: 'out' | 'err') => readFileSync(join(top, name), 'utf8');

describe('startPart', () => {
  it.each([
    ['true', 0],
    ['exit 3', 3],
    ['kill -9 $$', -9],
    ['kill -TERM $$', -15],
    ['nosuchcommand', 127],
    ['echo "half', 2],
    ['', 0],
  ])('runs %j, which ends with %i', async (command, returncode) => {
    const part = await start(command);
    await expect(part.ended).resolves.toEqual({ returncode });
  });

  it('keeps the streams apart, byte for byte', async () => {
    await (await start("printf 'a\\377b'; echo err >&2")).ended;
    expect(readFileSync(join(top, 'out'))).toEqual(Buffer.from([0x61, 0xff, 0x62]));
    expect(written('err')).toBe('err\n');
  });

  it('runs in its folder, with its variables, and nothing to read', async () => {
    await (await start('pwd; echo $X; cat; echo $HOME', { cwd: '/', env: { X: 'y z' } })).ended;
    expect(written('out')).toBe(`/\ny z\n${process.env.HOME ?? ''}\n`);
  });

  it('runs a command that is too long for an argument', async () => {
    const part = await start(`echo ${'x'.repeat(200_000)} | wc -c`);
    await expect(part.ended).resolves.toEqual({ returncode: 0 });
    expect(written('out').trim()).toBe('200001');
  });

  it('is in a session of its own, which can be ended as a whole', async () => {
    const part = await start('sleep 60 & sleep 60');
    expect(part.ticks).toBe(startTicks(part.pid));
    expect(isAlive(part)).toBe(true);
    expect(signalGroup(part.pid, 'SIGKILL')).toBe(true);
    await expect(part.ended).resolves.toEqual({ returncode: -9 });
    await eventually(() => !signalGroup(part.pid, 'SIGKILL'), { message: 'the group to be gone' });
    expect(isAlive(part)).toBe(false);
  });

  it('refuses a folder that is not there', async () => {
    await expect(start('true', { cwd: join(top, 'nosuch') })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('isAlive', () => {
  it('knows a process, and another one of the same pid', () => {
    const self = { pid: process.pid, startedAt: 0 };
    const ticks = startTicks(process.pid) ?? '';
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, ticks })).toBe(true);
    expect(isAlive({ ...self, ticks: `${ticks}1` })).toBe(false);
    expect(isAlive({ pid: 2 ** 22 + 1, startedAt: 0 })).toBe(false);
  });
});

describe('returncodeOf and preciseNow', () => {
  it('tell as Python does', () => {
    expect(returncodeOf(7, null)).toBe(7);
    expect(returncodeOf(null, 'SIGTERM')).toBe(-15);
    expect(Math.abs(preciseNow() - Date.now())).toBeLessThan(1000);
  });
});
