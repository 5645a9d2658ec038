import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  CONTROLLERS,
  groupEvents,
  groupProcesses,
  makeGroup,
  openGroups,
  removeGroup,
} from '../../../../lib/host/controlGroups.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** Folders in the place of the system's: what is written there stays as it was written. */
const of = (...path: string[]) => readFileSync(join(...path), 'utf8');

describe('makeGroup', () => {
  it('bounds memory without swap, a share of time, and processes', () => {
    const folder = tempDir();
    const limits = { memoryBytes: 1_000_000, cpus: 1.5, processes: 7 };
    const group = makeGroup({ folder, controllers: CONTROLLERS }, 'job', limits);
    expect(group).toBe(join(folder, 'job'));
    expect(of(group, 'memory.max')).toBe('1000000');
    expect(of(group, 'memory.swap.max')).toBe('0');
    expect(of(group, 'memory.oom.group')).toBe('1');
    expect(of(group, 'cpu.max')).toBe('150000 100000');
    expect(of(group, 'pids.max')).toBe('7');
  });

  it('takes the smallest share that the system knows for less', () => {
    const group = makeGroup({ folder: tempDir(), controllers: ['cpu'] }, 'job', { cpus: 0.001 });
    expect(of(group, 'cpu.max')).toBe('1000 100000');
  });

  it('leaves alone what there is no controller for', () => {
    const limits = { memoryBytes: 1, cpus: 1, processes: 1 };
    const group = makeGroup({ folder: tempDir(), controllers: [] }, 'job', limits);
    for (const file of ['memory.max', 'cpu.max', 'pids.max']) {
      expect(existsSync(join(group, file))).toBe(false);
    }
  });
});

describe('openGroups', () => {
  it('says what really can be limited below it', () => {
    const folder = tempDir();
    mkdirSync(join(folder, 'pman-1'));
    for (const place of [folder, join(folder, 'pman-1')]) {
      writeFileSync(join(place, 'cgroup.subtree_control'), 'memory pids\n');
    }
    expect(openGroups({ folder, controllers: ['memory', 'pids'] }, 'pman-1')).toEqual({
      folder: join(folder, 'pman-1'),
      controllers: ['memory', 'pids'],
    });
  });

  it('does without what cannot be had', () => {
    const folder = tempDir();
    mkdirSync(join(folder, 'cgroup.subtree_control'));
    expect(openGroups({ folder, controllers: ['memory'] }, 'pman-1').controllers).toEqual([]);
  });
});

describe('a group', () => {
  it('tells its processes and those of groups below it, and none when it has gone', () => {
    const group = tempDir();
    mkdirSync(join(group, 'below'));
    writeFileSync(join(group, 'cgroup.procs'), '12\n13\n');
    writeFileSync(join(group, 'below', 'cgroup.procs'), '14\n');
    expect(groupProcesses(group)).toEqual([12, 13, 14]);
    expect(groupProcesses(join(group, 'gone'))).toEqual([]);
  });

  it('tells what the system has counted, and nothing without a controller', () => {
    const group = tempDir();
    expect(groupEvents(group)).toEqual({ oomKills: 0, refused: 0 });
    writeFileSync(
      join(group, 'memory.events'),
      'low 0\nmax 90\noom 3\noom_kill 2\noom_group_kill 1\n',
    );
    writeFileSync(join(group, 'pids.events'), 'max 5\n');
    expect(groupEvents(group)).toEqual({ oomKills: 2, refused: 5 });
  });

  it('is removed with those below it, and has been when it is not there', () => {
    const group = join(tempDir(), 'group');
    mkdirSync(join(group, 'below'), { recursive: true });
    expect(removeGroup(group)).toBe(true);
    expect(existsSync(group)).toBe(false);
    expect(removeGroup(group)).toBe(true);
  });

  it('stays while there is something in it', () => {
    const group = tempDir();
    writeFileSync(join(group, 'file'), '');
    expect(removeGroup(group)).toBe(false);
  });
});
