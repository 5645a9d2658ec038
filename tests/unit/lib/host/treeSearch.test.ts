import { describe, expect, it } from '@jest/globals';
import type { ProcessEntry } from '../../../../lib/host/processTable.ts';
import { TreeSearch } from '../../../../lib/host/treeSearch.ts';

type Row = readonly [pid: number, parent: number, group: number, session: number, ticks: string];

const table = (...rows: readonly Row[]): readonly ProcessEntry[] =>
  rows.map(([pid, parent, group, session, ticks]) => ({ pid, parent, group, session, ticks }));
const pids = (found: readonly ProcessEntry[]) => found.map(({ pid }) => pid).sort((a, b) => a - b);

describe('TreeSearch', () => {
  const JOB: Row = [100, 1, 100, 100, '5'];
  const STRANGER: Row = [50, 1, 50, 50, '1'];

  it('finds children, and theirs in sessions of their own', () => {
    const search = new TreeSearch(100, {});
    const child: Row = [101, 100, 100, 100, '6'];
    const daemon: Row = [102, 101, 102, 102, '7'];
    expect(pids(search.members(table(daemon, STRANGER, child, JOB)))).toEqual([100, 101, 102]);
    // Their parents are gone, and one has started another.
    const later: Row = [103, 1, 102, 102, '9'];
    const orphan: Row = [102, 1, 102, 102, '7'];
    expect(pids(search.members(table(STRANGER, orphan, later)))).toEqual([102, 103]);
  });

  it('takes nobody who has the number of a process that has ended', () => {
    const search = new TreeSearch(100, {});
    search.members(table(JOB, [101, 100, 101, 101, '6']));
    const other: Row = [101, 50, 101, 101, '80'];
    const child: Row = [120, 101, 101, 101, '81'];
    expect(pids(search.members(table(JOB, STRANGER, other, child)))).toEqual([100]);
  });
});
