import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type NativeSpawn, nativeSpawn } from '../../../../crunner/detached/nativeSpawn.ts';
import { hearChildSignals } from '../../../helpers/childSignals.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

hearChildSignals();

let top = '';
let options: Pick<NativeSpawn, 'out' | 'err'>;
beforeEach(() => {
  top = tempDir();
  options = { out: join(top, 'out'), err: join(top, 'err') };
});

const sh = (command: string, env: NativeSpawn['env'] = process.env) =>
  nativeSpawn({ file: '/bin/sh', argv: ['sh', '-c', command], env, ...options });
const written = () => readFileSync(options.out, 'utf8');

describe('nativeSpawn', () => {
  it.each([
    ['exit 0', 0],
    ['exit 255', 255],
    ['kill -9 $$', -9],
    ['kill -SEGV $$', -11],
  ])('tells how %j ended', async (command, returncode) => {
    const { pid, ended } = sh(command);
    expect(pid).toBeGreaterThan(1);
    expect(await ended).toMatchObject({ returncode });
  });

  it('tells of each of many that end at once', async () => {
    const started = Array.from({ length: 40 }, (_, k) => sh(`exit ${k}`));
    const codes = await Promise.all(started.map(async ({ ended }) => (await ended).returncode));
    expect(codes).toEqual(Array.from({ length: 40 }, (_, k) => k));
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(40);
  });

  it('tells what was used, children included', async () => {
    const burn = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done';
    const { usage: burnt } = await sh(`sh -c '${burn}'`).ended;
    const cpu = (burnt.user_seconds ?? 0) + (burnt.system_seconds ?? 0);
    expect(cpu).toBeGreaterThan(0.02);
    expect(cpu).toBeLessThan(30);
    const floor = process.resourceUsage().maxRSS * 1024;
    const bytes = floor + 100 * 1024 * 1024;
    const { usage: large } = await sh(`head -c ${bytes} /dev/zero | tail -c ${bytes} >/dev/null`)
      .ended;
    expect(large.source).toBe('wait4');
    expect(large.peak_memory_bytes).toBeGreaterThan(bytes);
    expect(large.peak_memory_bytes).toBeLessThan(2 * bytes);
  });

  it('says below what the peak was when that is all that can be told', async () => {
    const { usage } = await sh('true').ended;
    expect(usage.peak_memory_bytes).toBeUndefined();
    expect(usage.peak_memory_below_bytes).toBeGreaterThan(1024 * 1024);
  });

  it('adds to its files, and has nothing to read', async () => {
    writeFileSync(options.out, 'before\n');
    await sh('cat; echo after; echo problem >&2').ended;
    expect(written()).toBe('before\nafter\n');
    expect(readFileSync(options.err, 'utf8')).toBe('problem\n');
  });

  it('has the environment that it is given, and nothing else', async () => {
    await nativeSpawn({
      file: '/usr/bin/env',
      argv: ['env'],
      env: { A: 'ü = "x"\ny', B: '', C: undefined },
      ...options,
    }).ended;
    expect(written()).toBe('A=ü = "x"\ny\nB=\n');
  });

  it('is in a session of its own, with no signal blocked or ignored', async () => {
    const { pid, ended } = sh(
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
    await sh('yes | head -n 1').ended;
    expect(written()).toBe('y\n');
    expect(readFileSync(options.err, 'utf8')).toBe('');
  });

  it('leaves no file of this process open in the child', async () => {
    const mine = join(top, 'mine');
    const fd = openSync(mine, 'w');
    try {
      await sh('ls -l /proc/self/fd').ended;
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
  ])('refuses %s', (_, what, code) => {
    expect(() => nativeSpawn({ ...what, env: {}, ...options })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('refuses an output that cannot be written', () => {
    const out = join(top, 'no', 'folder');
    expect(() =>
      nativeSpawn({ file: '/bin/true', argv: ['true'], env: {}, ...options, out }),
    ).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
