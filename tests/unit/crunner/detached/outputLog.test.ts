import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { OutputWatch, readOutputLog } from '../../../../crunner/detached/outputLog.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

function startedPart(): string {
  const folder = tempDir();
  for (const name of ['0.out', '0.err']) writeFileSync(join(folder, name), '');
  return folder;
}

/** Appends to a stream and waits until the log has it. */
async function write(folder: string, file: string, text: string): Promise<void> {
  const before = readOutputLog(folder, 0, Number.POSITIVE_INFINITY).length;
  appendFileSync(join(folder, file), text);
  await eventually(() => {
    const chunks = readOutputLog(folder, 0, Number.POSITIVE_INFINITY);
    return chunks.length > before && chunks.every(({ seenAt }) => Number.isFinite(seenAt));
  });
}

describe('the log of outputs', () => {
  it('keeps the order of both streams', async () => {
    const folder = startedPart();
    const log = new OutputWatch(folder, 0);
    await write(folder, '0.err', 'one\n');
    await write(folder, '0.out', 'two\n');
    await write(folder, '0.err', 'three\n');
    log.close();
    const chunks = readOutputLog(folder, 0, 0);
    expect(chunks.map(({ stream, from, to }) => [stream, from, to])).toEqual([
      ['stderr', 0, 4],
      ['stdout', 0, 4],
      ['stderr', 4, 10],
    ]);
    const times = chunks.map(({ seenAt }) => seenAt);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });

  it('counts the output of a part that was over in a moment as come in at its end', () => {
    const folder = startedPart();
    const log = new OutputWatch(folder, 0);
    appendFileSync(join(folder, '0.err'), 'e');
    appendFileSync(join(folder, '0.out'), 'out');
    log.close();
    expect(readOutputLog(folder, 0, 1234)).toEqual([
      { stream: 'stdout', seenAt: 1234, from: 0, to: 3 },
      { stream: 'stderr', seenAt: 1234, from: 0, to: 1 },
    ]);
  });

  it('leaves out a line that a crash has cut', () => {
    const folder = startedPart();
    appendFileSync(join(folder, '0.out'), 'abcdef');
    writeFileSync(join(folder, '0.log'), '[1,"stdout",2]\n[2,"stdo');
    expect(readOutputLog(folder, 0, 9)).toEqual([
      { stream: 'stdout', seenAt: 1, from: 0, to: 2 },
      { stream: 'stdout', seenAt: 9, from: 2, to: 6 },
    ]);
  });
});
