import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { UNICODE_SIGNS } from '../../../../lib/terminal/signs.ts';
import { COLOUR_STYLE, PLAIN_STYLE } from '../../../../lib/terminal/style.ts';
import { widthOf } from '../../../../lib/terminal/width.ts';
import { columnNames, fieldsOf } from '../../../../lib/verbs/jobColumns.ts';
import { jobLines, membersFor } from '../../../../lib/verbs/printJobs.ts';
import { Sink } from '../../../../lib/verbs/streams.ts';
import { NOW, sampleJobs } from '../../../helpers/sampleJobs.ts';

/** The lines of `pman ls` on a terminal of some width; in a pipe without one. */
function linesAt(columns: number | undefined, asked?: string, style = PLAIN_STYLE) {
  const stream = { isTTY: columns !== undefined, columns } as NodeJS.WriteStream;
  const out = new Sink(stream, {});
  const streams = { out, err: out, input: process.stdin, signs: UNICODE_SIGNS };
  const form = {
    kind: 'table',
    names: columnNames(asked),
    hasHeader: columns === undefined,
  } as const;
  const isChosen = asked !== undefined && asked !== 'wide';
  const jobs = sampleJobs().map((job) => ({ job, outBytes: 1234 }));
  return jobLines({ streams, style }, jobs, { ...form, isChosen, time: 'age' }, NOW);
}

describe('the list of jobs', () => {
  it.each(columnNames('wide'))('shows %s of what it asks the server for', (name) => {
    const form = { kind: 'table', names: [name], isChosen: true, hasHeader: false, time: 'age' };
    const { fields } = membersFor(form as Parameters<typeof membersFor>[0]);
    for (const job of sampleJobs()) {
      const asked = Object.fromEntries(fields?.map((member) => [member, job[member]]) ?? []);
      const known = fields === undefined ? job : (asked as unknown as typeof job);
      expect(fieldsOf([name], { job: known }, NOW)).toEqual(fieldsOf([name], { job }, NOW));
    }
  });

  it('reads no record for its usual columns and for ids, and whole jobs for programs', () => {
    const table = { kind: 'table', isChosen: false, hasHeader: false, time: 'age' } as const;
    expect(membersFor({ ...table, names: columnNames(undefined) }).fields).toContain('command');
    expect(membersFor({ kind: 'quiet' }).fields).toContain('id');
    expect(membersFor({ ...table, names: columnNames('wide') })).toEqual({});
    expect(membersFor({ kind: 'json' })).toEqual({});
    expect(membersFor({ kind: 'format', format: '{image}' })).toEqual({});
  });

  it('shows what fits: 80 columns', () => {
    expect(linesAt(80)).toEqual([
      '  ID      NAME              STATE        AGE   TIME  COMMAND',
      '● 7f3a9c  train-lr0.001     running    3m04s  3m04s  python3 train.py --data /s…',
      '○ c01b22  train-lr0.01      waiting 1  3m04s         python3 train.py --data /s…',
      '✗ 9d4e10  nightly           failed 2      1h    12s  make -j8 check; ./report -…',
      '■ e8810f  train-wi…p-lr0.1  killed        3h    41s  python3 train.py --data /s…',
      '? 0a0b0c  env               lost          4d  1d03h  /usr/bin/env\\tprintf "日本…',
      '✓ 5d5e5f  夜間のバ…理です   ok         1m40s     1s  sleep 1',
    ]);
  });

  it('leaves AGE out below 72 columns, COMMAND below 60, TIME below 48', () => {
    const heads = [72, 71, 60, 59, 48, 47, 40].map((columns) =>
      linesAt(columns)[0]?.trim().split(/ +/),
    );
    expect(heads).toEqual([
      ['ID', 'NAME', 'STATE', 'AGE', 'TIME', 'COMMAND'],
      ['ID', 'NAME', 'STATE', 'TIME', 'COMMAND'],
      ['ID', 'NAME', 'STATE', 'TIME', 'COMMAND'],
      ['ID', 'NAME', 'STATE', 'TIME'],
      ['ID', 'NAME', 'STATE', 'TIME'],
      ['ID', 'NAME', 'STATE'],
      ['ID', 'NAME', 'STATE'],
    ]);
  });

  it('gives names what nobody needs: 40 columns', () => {
    expect(linesAt(40)).toEqual([
      '  ID      NAME                 STATE',
      '● 7f3a9c  train-lr0.001        running',
      '○ c01b22  train-lr0.01         waiting 1',
      '✗ 9d4e10  nightly              failed 2',
      '■ e8810f  train-wit…mup-lr0.1  killed',
      '? 0a0b0c  env                  lost',
      '✓ 5d5e5f  夜間のバッ…処理です  ok',
    ]);
  });

  it('shows what fits: 60 columns', () => {
    expect(linesAt(60)).toEqual([
      '  ID      NAME              STATE       TIME  COMMAND',
      '● 7f3a9c  train-lr0.001     running    3m04s  python3 train…',
      '○ c01b22  train-lr0.01      waiting 1         python3 train…',
      '✗ 9d4e10  nightly           failed 2     12s  make -j8 chec…',
      '■ e8810f  train-wi…p-lr0.1  killed       41s  python3 train…',
      '? 0a0b0c  env               lost       1d03h  /usr/bin/env\\…',
      '✓ 5d5e5f  夜間のバ…理です   ok            1s  sleep 1',
    ]);
  });

  it('shows all of it where there is room, and before that names have more of it', () => {
    const all = [
      '  ID      NAME                     STATE        AGE   TIME  COMMAND',
      '● 7f3a9c  train-lr0.001            running    3m04s  3m04s  python3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17',
      '○ c01b22  train-lr0.01             waiting 1  3m04s         python3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17',
      '✗ 9d4e10  nightly                  failed 2      1h    12s  make -j8 check; ./report --mail ana',
      '■ e8810f  train-with-warmup-lr0.1  killed        3h    41s  python3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17',
      '? 0a0b0c  env                      lost          4d  1d03h  /usr/bin/env\\tprintf "日本語 %s\\n"\\necho \\u001b[31mred',
      '✓ 5d5e5f  夜間のバッチ処理です     ok         1m40s     1s  sleep 1',
    ];
    expect(linesAt(200)).toEqual(all);
    const seed = '--epochs 200 --seed 17';
    expect(linesAt(120)).toEqual(all.map((line) => line.replace(seed, '--epochs 200 -…')));
  });

  it.each([40, 60, 80, 120, 200])(
    'is a line a job, and none is wider than %d columns',
    (columns) => {
      for (const asked of [undefined, 'wide', 'command,id']) {
        const lines = linesAt(columns, asked);
        expect(lines).toHaveLength(7);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      }
    },
  );

  it('is fields with tabs between in a pipe, and nothing is cut', () => {
    expect(linesAt(undefined)).toEqual([
      'ID\tNAME\tSTATE\tAGE\tTIME\tCOMMAND',
      '7f3a9c\ttrain-lr0.001\trunning\t2026-11-28T14:02:11.000Z\t184\tpython3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17',
      'c01b22\ttrain-lr0.01\twaiting 1\t2026-11-28T14:02:11.000Z\t\tpython3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17',
      '9d4e10\tnightly\tfailed 2\t2026-11-28T13:01:55.000Z\t12\tmake -j8 check; ./report --mail ana',
      'e8810f\ttrain-with-warmup-lr0.1\tkilled\t2026-11-28T11:01:55.000Z\t41\tpython3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17',
      '0a0b0c\tenv\tlost\t2026-11-23T22:58:35.000Z\t100000\t/usr/bin/env\\tprintf "日本語 %s\\n"\\necho \\u001b[31mred',
      '5d5e5f\t夜間のバッチ処理です\tok\t2026-11-28T14:03:35.000Z\t1\tsleep 1',
    ]);
  });

  it('shows the same with colours, which are not counted', () => {
    const plain = linesAt(80, undefined, COLOUR_STYLE).map(stripVTControlCharacters);
    expect(plain).toEqual(linesAt(80));
    expect(linesAt(80, undefined, COLOUR_STYLE)[3]).toContain('\u001b[31mfailed 2\u001b[39m');
  });

  it('has other columns when it is asked for them', () => {
    expect(linesAt(undefined, 'id,out,where')[1]).toBe('7f3a9c\t1234\thost');
    expect(() => columnNames('id,size')).toThrow('-o "size" is none of wide, id, name');
  });
});
