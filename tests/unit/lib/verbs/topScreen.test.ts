import { describe, expect, it } from '@jest/globals';
import type { Job, ServerFacts } from '../../../../lib/client/index.ts';
import { ASCII_SIGNS, UNICODE_SIGNS } from '../../../../lib/terminal/signs.ts';
import { COLOUR_STYLE, PLAIN_STYLE, type Style } from '../../../../lib/terminal/style.ts';
import { widthOf } from '../../../../lib/terminal/width.ts';
import { keysIn } from '../../../../lib/verbs/readKeys.ts';
import { arranged, rowsOf, type TopData } from '../../../../lib/verbs/topData.ts';
import { spark, type TopRow, type TopView, topLines } from '../../../../lib/verbs/topScreen.ts';

const NOW = Date.parse('2026-11-28T14:05:00.000Z');
const MIB = 1024 * 1024;

const facts = {
  ...{ version: '3.1.0', startedAt: '2026-11-25T14:00:00.000Z', uptimeSeconds: 259_500 },
  jobs: { running: 2, waiting: 1, recorded: 1204 },
  disk: { freeBytes: 41 * 1024 * MIB, totalBytes: 100 * 1024 * MIB, problem: null },
} as unknown as ServerFacts;

const job = (
  id: string,
  jid: string,
  state: Job['state'],
  startedAt: string | null,
  place = null as number | null,
) =>
  ({
    ...{ id: `2026_${id}-0000`, jid, command: 'python3 train.py', state, startedAt, place },
    ...{ endedAt: null, exitCode: null, reason: null },
  }) as unknown as Job;

const running = (id: string, rest: object) => ({
  ...{ id: `2026_${id}-0000`, cpuSeconds: null, memoryBytes: null, stdoutBytes: null },
  ...{ stderrBytes: null, lastLine: null, ...rest },
});

const rows: readonly TopRow[] = [
  {
    job: job('7f3a9c', 'train-lr0.001', 'running', '2026-11-28T14:01:56.000Z'),
    running: running('7f3a9c', {
      ...{ memoryBytes: 2.9 * 1024 * MIB, stdoutBytes: 1.2 * MIB },
      lastLine: 'epoch 4/200 loss 0.412 and much more than fits into the line',
    }),
    cpus: 1.58,
  },
  {
    job: job('61c0de', 'thumbs', 'running', '2026-11-28T14:04:48.000Z'),
    running: running('61c0de', { memoryBytes: 88 * MIB, stdoutBytes: 0 }),
    cpus: 0.04,
  },
  { job: job('c01b22', 'train-lr0.01', 'waiting', null, 1), running: undefined, cpus: undefined },
];

const view: TopView = {
  ...{ url: 'http://localhost:5010', facts, failedToday: 1, jobsPerHour: 12, rows },
  ...{
    history: [0.2, 0.5, 1, 1.4, 1.2, 1, 0.6, 1.62],
    sort: 'usual',
    filter: '',
    isFiltering: false,
  },
  ...{ onlyFailed: false, selected: undefined, note: undefined, hasHelp: false, lostAt: undefined },
  nowMs: NOW,
};
const looks = { style: PLAIN_STYLE, signs: UNICODE_SIGNS };

describe('the screen of top', () => {
  it('is this at 80 columns', () => {
    expect(topLines(view, { columns: 80, rows: 24 }, looks).filter((line) => line !== '')).toEqual([
      'pman 3.1.0 on localhost:5010, up 3d   ● 2 running  ○ 1 waiting  ✗ 1 failed today',
      'cpu ▁▃▅▇▆▅▃█ 162%    memory 3 GiB    disk 41 GiB free    12 jobs/h',
      '  ID      NAME            CPU   MEM   TIME   OUT  LAST LINE',
      '● 7f3a9c  train-lr0.001  158%  2.9G  3m04s  1.2M  epoch 4/200 loss 0.412 and mu…',
      '● 61c0de  thumbs           4%   88M    12s    0B',
      '○ c01b22  train-lr0.01      -     -      -     -  waiting, place 1',
      'Enter show  l logs  K kill  R rerun  / filter  s sort  f failed  ? keys  q quit',
    ]);
  });

  it('fills any terminal and is never wider, nor higher', () => {
    const many = Array.from({ length: 100 }, (_, i) => rows[i % 3] as TopRow);
    for (const columns of [20, 40, 60, 80, 200]) {
      for (const height of [6, 24, 60]) {
        for (const hasHelp of [false, true]) {
          const lines = topLines(
            { ...view, rows: many, hasHelp: hasHelp && height > 20 },
            { columns, rows: height },
            looks,
          );
          expect(lines.length).toBe(height);
          expect(Math.max(...lines.slice(0, 2).map(widthOf))).toBeLessThanOrEqual(
            Math.max(columns, 0),
          );
        }
      }
    }
  });

  it('says since when the server is away, what is filtered, and that nothing is there', () => {
    const away = topLines({ ...view, lostAt: '14:05:31' }, { columns: 80, rows: 24 }, looks);
    expect(away[0]).toBe('pman 3.1.0 on localhost:5010: not connected since 14:05:31');
    const none = { ...view, rows: [], filter: 'zzz' };
    const text = topLines(none, { columns: 80, rows: 24 }, looks).join('\n');
    expect(text).toContain('no job fits "zzz"');
    expect(text).toContain('[/zzz]');
  });

  it('marks the row that keys act on and keeps the sign of its state, also without colours', () => {
    const chosen = { ...view, selected: rows[1]?.job.id };
    const shown = (style: Style) =>
      topLines(chosen, { columns: 80, rows: 24 }, { ...looks, style });
    const row = (style: Style) => shown(style)[4];
    const { bold, cyan, inverse } = COLOUR_STYLE;
    expect(row(COLOUR_STYLE)).toContain(`${cyan('●')} ${inverse(bold('61c0de'))}  thumbs`);
    expect(
      shown(PLAIN_STYLE)
        .slice(2, 6)
        .map((line) => line.slice(0, 11)),
    ).toEqual([...['   ID      ', ' ● 7f3a9c  ', '>● 61c0de  ', ' ○ c01b22  ']]);
  });

  it('has no bars without UTF-8', () => {
    expect(spark([1, 2], ASCII_SIGNS)).toBe('');
    expect(spark([], UNICODE_SIGNS)).toBe('');
    expect(spark([0, 0.5, 1], UNICODE_SIGNS)).toBe('▁▄█');
  });
});

describe('the rows of top', () => {
  const at = (atMs: number, cpuSeconds: number): TopData => ({
    ...{ facts, jobs: [rows[0]?.job as Job], atMs },
    running: new Map([['2026_7f3a9c-0000', running('7f3a9c', { cpuSeconds })]]),
  });

  it('have the processors that a job has used since the time before', () => {
    expect(rowsOf(at(2000, 13), at(1000, 11.5))[0]?.cpus).toBe(1.5);
    expect(rowsOf(at(2000, 13), undefined)[0]?.cpus).toBeUndefined();
    // Another part has begun.
    expect(rowsOf(at(2000, 0.1), at(1000, 11.5))[0]?.cpus).toBe(0);
  });

  it('stand in the order that was asked for, those alone that fit', () => {
    const ids = (sort: 'usual' | 'cpu' | 'memory' | 'time' | 'name', filter = '') =>
      arranged(rows, { sort, filter, nowMs: NOW }).map(({ job: { id } }) => id.slice(5, 7));
    expect(ids('usual')).toEqual(['7f', '61', 'c0']);
    expect(ids('cpu')).toEqual(['7f', '61', 'c0']);
    expect(ids('time')).toEqual(['7f', '61', 'c0']);
    expect(ids('name')).toEqual(['61', '7f', 'c0']);
    expect(ids('usual', 'TRAIN-LR')).toEqual(['7f', 'c0']);
  });
});

describe('keys', () => {
  it('are told apart when they come at once', () => {
    expect(keysIn('jé\u001b[A\u001bOB\u001b[5~\u001b')).toEqual([
      ...['j', 'é', '\u001b[A', '\u001bOB', '\u001b[5~', '\u001b'],
    ]);
  });
});
