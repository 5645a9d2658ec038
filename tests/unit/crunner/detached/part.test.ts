import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nativeSpawn } from '../../../../crunner/detached/nativeSpawn.ts';
import { startPart } from '../../../../crunner/detached/part.ts';
import { portableSpawn } from '../../../../crunner/detached/portableSpawn.ts';
import type { JobLimits } from '../../../../crunner/job/jobLimits.ts';
import { isAlive, signalGroup, startTicks } from '../../../../lib/host/processes.ts';
import { hearChildSignals } from '../../../helpers/childSignals.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

hearChildSignals();

let top = '';
beforeEach(() => {
  top = tempDir();
});

const written = (name: 'out' | 'err') => readFileSync(join(top, name), 'utf8');

describe.each([
  ['natively', nativeSpawn],
  ['in the portable way', portableSpawn],
] as const)('a part that is started %s', (_, startProgram) => {
  const start = (command: string, limits: JobLimits = {}) =>
    startPart(
      {
        ...{ command, limits, root: 'job' },
        ...{ out: join(top, 'out'), err: join(top, 'err'), script: join(top, 'script') },
      },
      startProgram,
    );

  it.each([
    ['true', 0],
    ['exit 3', 3],
    ['kill -9 $$', -9],
    ['kill -TERM $$', -15],
    ['nosuchcommand', 127],
    ['echo "half', 2],
    ['', 0],
    ['-x', 127],
  ])('runs %j, which ends with %i', async (command, returncode) => {
    const part = await start(command);
    await expect(part.ended).resolves.toMatchObject({ returncode });
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

  it.each<JobLimits>([{}, { nice: 1, memoryBytes: 2 ** 30 }])(
    'runs a command that is too long for an argument (%j)',
    async (limits) => {
      const part = await start(`echo ${'x'.repeat(200_000)} | wc -c`, limits);
      await expect(part.ended).resolves.toMatchObject({ returncode: 0 });
      expect(written('out').trim()).toBe('200001');
    },
  );

  it('gives the command to the shell as it is, with limits too', async () => {
    const command = `printf '%s|' "$0" '$HOME' \\\\n "a  b"; # it's`;
    await (await start(command, { cwd: '/', nice: 3, memoryBytes: 2 ** 30 })).ended;
    expect(written('err')).toBe('');
    expect(written('out')).toBe('/bin/sh|$HOME|\\n|a  b|');
  });

  it('is in a session of its own, which can be ended as a whole', async () => {
    const part = await start('sleep 60 & sleep 60');
    expect(part.ticks).toBe(startTicks(part.pid));
    expect(isAlive(part)).toBe(true);
    expect(signalGroup(part.pid, 'SIGKILL')).toBe(true);
    await expect(part.ended).resolves.toMatchObject({ returncode: -9 });
    await eventually(() => !signalGroup(part.pid, 'SIGKILL'), { message: 'the group to be gone' });
    expect(isAlive(part)).toBe(false);
  });

  it('has a nicer priority, and less memory, when it is told so', async () => {
    const limits = { nice: 7, memoryBytes: 64 * 1024 * 1024 };
    await (await start('nice; ulimit -v', limits)).ended;
    expect(written('out')).toBe(`${getPriority() + 7}\n65536\n`);
  });

  it('ends with 126 and a reason when its folder is not there', async () => {
    const part = await start('echo never', { cwd: join(top, 'nosuch') });
    await expect(part.ended).resolves.toMatchObject({ returncode: 126 });
    expect(written('out')).toBe('');
    expect(written('err')).toContain('nosuch');
  });

  it('rejects when a stream cannot be written', async () => {
    const options = { command: 'true', err: join(top, 'e'), script: join(top, 's') };
    const part = { ...options, limits: {}, root: 'job' };
    await expect(startPart({ ...part, out: top }, startProgram)).rejects.toMatchObject({
      code: 'EISDIR',
    });
    const nowhere = join(top, 'no', 'out');
    await expect(startPart({ ...part, out: nowhere }, startProgram)).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('a part on Linux', () => {
  it('is started in the way that tells what it has used', async () => {
    const files = { out: join(top, 'out'), err: join(top, 'err'), script: join(top, 'script') };
    const part = await startPart({ command: 'true', limits: {}, root: 'job', ...files });
    await expect(part.ended).resolves.toMatchObject({ usage: { source: 'wait4' } });
  });
});
