import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { utimesSeconds } from '../../../../lib/transfer/times.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('a time that a file is given', () => {
  it.each([
    ['1960', -304_905_091_123_457_000n],
    ['just before 1970', -1000n],
    ['1969, on a whole second', -86_400_000_000_000n],
    ['1970', 0n],
    ['2001', 1_000_000_000_250_000_000n],
    ['2023, to the microsecond', 1_700_000_000_123_457_000n],
  ])('is the one that it has then: %s', (_when, timeNs) => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, '');
    utimesSync(path, utimesSeconds(timeNs), utimesSeconds(timeNs));
    expect(statSync(path, { bigint: true }).mtimeNs).toBe(timeNs);
  });
});
