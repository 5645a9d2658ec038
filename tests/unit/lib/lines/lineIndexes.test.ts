import { describe, expect, it } from '@jest/globals';
import type { PartOutputs } from '../../../../lib/jobs/outputPieces.ts';
import { LineIndexes } from '../../../../lib/lines/lineIndexes.ts';
import { OutputFiles } from '../../../helpers/outputFiles.ts';

const read = (indexes: LineIndexes, key: string, parts: readonly PartOutputs[], more = {}) =>
  indexes.read({
    ...{ do: 'read', key, parts, from: 1, count: 10, lineBytes: 4096, sliceMs: 1000 },
    ...more,
  });
const texts = ({ lines }: { lines: readonly { text: string }[] }) => lines.map(({ text }) => text);

describe('the indexes that are kept', () => {
  it('are those that were used last, as far as the memory goes', () => {
    const indexes = new LineIndexes(3500);
    const jobs = ['a', 'b', 'c', 'd'].map((name) => OutputFiles.ended(`${name}\n`));
    for (const [i, files] of jobs.entries()) read(indexes, String(i), [files.outputs]);
    expect(indexes.size).toBeLessThan(4);
    // What was given up is made anew.
    expect(jobs.map((files, i) => texts(read(indexes, String(i), [files.outputs])))).toEqual([
      ...[['a'], ['b'], ['c'], ['d']],
    ]);
  });

  it('go on with more parts, and are made anew for other texts', () => {
    const indexes = new LineIndexes();
    const [one, two] = [OutputFiles.ended('1\n').outputs, OutputFiles.ended('2\n').outputs];
    read(indexes, 'job', [one]);
    expect(texts(read(indexes, 'job', [one, two]))).toEqual(['1', '2']);
    const text = (said: string) => [
      { stdout: { text: Buffer.from(said) }, stderr: { text: Buffer.alloc(0) }, hasEnded: true },
    ];
    expect(texts(read(indexes, 'text', text('a\n')))).toEqual(['a']);
    expect(texts(read(indexes, 'text', text('b\nc\n')))).toEqual(['b', 'c']);
  });

  it('give lines from the end as from the beginning', () => {
    const indexes = new LineIndexes();
    const parts = [OutputFiles.ended('1\n2\n3\n').outputs];
    const from = (n: number) => texts(read(indexes, 'job', parts, { from: n }));
    expect([from(-2), from(-9), from(2), from(4), from(0)]).toEqual([
      ...[['2', '3'], ['1', '2', '3'], ['2', '3'], [], []],
    ]);
  });
});
