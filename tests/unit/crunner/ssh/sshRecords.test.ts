import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SshPiece, SshRecordReader } from '../../../../crunner/ssh/sshRecords.ts';

const MARKER = 'crunner-1-2:';

/** What the reader makes of these chunks: the text in one string, and the records. */
function readAll(chunks: readonly Buffer[]) {
  const reader = new SshRecordReader(MARKER);
  const pieces: SshPiece[] = [];
  for (const chunk of chunks) pieces.push(...reader.push(chunk));
  pieces.push(...reader.end());
  return {
    text: Buffer.concat(
      pieces.map((p) => (p.kind === 'text' ? p.text : Buffer.alloc(0))),
    ).toString(),
    records: pieces.filter((piece) => piece.kind !== 'text'),
  };
}

function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}

describe('SshRecordReader', () => {
  it('finds the records and keeps every other byte, wherever the chunks are cut', () => {
    const stream = Buffer.from(
      `banner\n${MARKER}pid 12 34 56;err crunner-1-\nmore${MARKER}end 255;tail`,
    );
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
        expect(readAll(cutAt(stream, cuts))).toEqual({
          text: 'banner\nerr crunner-1-\nmoretail',
          records: [
            { kind: 'pid', remote: { pid: 12, processGroup: 34, wrapperPid: 56, marker: MARKER } },
            { kind: 'end', returncode: 255 },
          ],
        });
      }),
    );
  });

  it('gives text on at once unless it may be the beginning of a record', () => {
    const reader = new SshRecordReader(MARKER);
    expect([...reader.push(Buffer.from('text c'))]).toEqual([
      { kind: 'text', text: Buffer.from('text ') },
    ]);
    expect([...reader.push(Buffer.from('x'))]).toEqual([{ kind: 'text', text: Buffer.from('cx') }]);
  });

  it('takes a marker without a record for text', () => {
    expect(readAll([Buffer.from(`${MARKER}nonsense;${MARKER}${'x'.repeat(100)}`)])).toEqual({
      text: `${MARKER}nonsense;${MARKER}${'x'.repeat(100)}`,
      records: [],
    });
  });
});
