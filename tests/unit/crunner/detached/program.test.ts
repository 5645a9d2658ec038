import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nativeSpawn } from '../../../../crunner/detached/nativeSpawn.ts';
import { portableSpawn } from '../../../../crunner/detached/portableSpawn.ts';
import type { Program, StartProgram } from '../../../../crunner/detached/program.ts';
import { hearChildSignals } from '../../../helpers/childSignals.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

hearChildSignals();

let top = '';
let options: Pick<Program, 'out' | 'err'>;
beforeEach(() => {
  top = tempDir();
  options = { out: join(top, 'out'), err: join(top, 'err') };
});

const written = () => readFileSync(options.out, 'utf8');

describe.each<[string, StartProgram]>([
  ['natively', nativeSpawn],
  ['in the portable way', portableSpawn],
])('a program that is started %s', (_, startProgram) => {
  const start = async (program: Omit<Program, 'out' | 'err'>) =>
    startProgram({ ...options, ...program });
  const sh = (command: string) =>
    start({ file: '/bin/sh', argv: ['sh', '-c', command], env: process.env });

  it.each([
    ['exit 0', 0],
    ['exit 255', 255],
    ['kill -9 $$', -9],
    ['kill -SEGV $$', -11],
  ])('tells how %j ended', async (command, returncode) => {
    const { pid, ended } = await sh(command);
    expect(pid).toBeGreaterThan(1);
    expect(await ended).toMatchObject({ returncode });
  });

  it('tells of each of many that end at once', async () => {
    const started = await Promise.all(Array.from({ length: 40 }, (_, k) => sh(`exit ${k}`)));
    const codes = await Promise.all(started.map(async ({ ended }) => (await ended).returncode));
    expect(codes).toEqual(Array.from({ length: 40 }, (_, k) => k));
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(40);
  });

  it('adds to its files, and has nothing to read', async () => {
    writeFileSync(options.out, 'before\n');
    await (await sh('cat; echo after; echo problem >&2')).ended;
    expect(written()).toBe('before\nafter\n');
    expect(readFileSync(options.err, 'utf8')).toBe('problem\n');
  });

  it('has the environment that it is given, and nothing else', async () => {
    const env = { A: 'ü = "x"\ny', B: '', C: undefined };
    await (await start({ file: '/usr/bin/env', argv: ['env'], env })).ended;
    expect(written()).toBe('A=ü = "x"\ny\nB=\n');
  });

  it('is in a session of its own, with no signal blocked or ignored', async () => {
    const { pid, ended } = await sh(
      // Of the program, which inherits them: the shell itself blocks signals for moments while it waits.
      'cut -d" " -f5,6 /proc/$$/stat; grep -E "^Sig(Blk|Ign)" /proc/self/status',
    );
    await ended;
    const [ids, ...masks] = written().trim().split('\n');
    expect(ids).toBe(`${pid} ${pid}`);
    expect(masks).toEqual([`SigBlk:\t${'0'.repeat(16)}`, `SigIgn:\t${'0'.repeat(16)}`]);
  });

  it('ends quietly when nobody reads any more, as in a terminal', async () => {
    // With SIGPIPE ignored, as in node, `yes` complains of a broken pipe.
    await (await sh('yes | head -n 1')).ended;
    expect(written()).toBe('y\n');
    expect(readFileSync(options.err, 'utf8')).toBe('');
  });

  it('leaves no file of this process open in the child', async () => {
    const mine = join(top, 'mine');
    const fd = openSync(mine, 'w');
    try {
      await (await sh('ls -l /proc/self/fd')).ended;
    } finally {
      closeSync(fd);
    }
    expect(written()).toContain(options.out);
    expect(written()).not.toMatch(/mine$|socket:|anon_inode/m);
  });

  it.each([
    ['a program that is not there', { file: '/nosuch', argv: ['x'] }, 'ENOENT'],
    ['a program that may not be run', { file: '/etc/passwd', argv: ['x'] }, 'EACCES'],
    [
      'an argument that is too long',
      { file: '/bin/true', argv: ['x', 'x'.repeat(200_000)] },
      'E2BIG',
    ],
  ])('refuses %s', async (_, what, code) => {
    await expect(start({ ...what, env: {} })).rejects.toMatchObject({ code });
  });

  it('refuses an output that cannot be written', async () => {
    const program = { file: '/bin/true', argv: ['true'], env: {} };
    const place = { out: join(top, 'no', 'folder'), err: options.err };
    await expect((async () => startProgram({ ...program, ...place }))()).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
