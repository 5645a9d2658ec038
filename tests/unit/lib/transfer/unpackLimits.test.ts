import { describe, expect, it } from '@jest/globals';
import { checkLimits } from '../../../../lib/transfer/unpackLimits.ts';
import type { ArchiveEntry } from '../../../../lib/transfer/zip/archiveReader.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const entry = (bytes: number, packedBytes: number): ArchiveEntry => ({
  ...{
    name: 'f',
    kind: 'file',
    mode: undefined,
    mtimeNs: 0n,
    packing: 'deflated' as const,
    crc: 0,
    headerAt: 0,
  },
  bytes,
  packedBytes,
});
const limits = { maxBytes: 1000, maxEntries: 3 };
const check = (entries: ArchiveEntry[], archiveBytes: number, given = limits) =>
  checkLimits(entries, archiveBytes, tempDir(), given);

describe('checkLimits', () => {
  it.each([
    ['as much as any archive may become', [entry(1000, 10)], 30],
    ['twenty times its size', [entry(2000, 100)], 100],
    ['nothing', [], 22],
  ])('takes an archive of %s', async (_, entries, size) => {
    await expect(check(entries, size)).resolves.toBeUndefined();
  });

  it.each([
    ['more than that', [entry(1001, 10)], 50, /1001 bytes unpacked, 1000 are allowed/],
    ['more than twenty times its size', [entry(2001, 100)], 100, /2000 are allowed/],
    ['too much in parts', [entry(600, 10), entry(600, 10)], 50, /1200 bytes/],
    ['too many entries', [1, 1, 1, 1].map((n) => entry(n, n)), 500, /4 entries, 3 are allowed/],
    ['entries that share their data', [entry(50, 50), entry(50, 50)], 60, /share their data/],
  ])('refuses %s', async (_, entries, size, reason) => {
    await expect(check(entries, size)).rejects.toMatchObject({
      code: 'payload_too_large',
      message: expect.stringMatching(reason),
    });
  });

  it('refuses what does not fit on the disk', async () => {
    const huge = { maxBytes: Number.MAX_SAFE_INTEGER, maxEntries: 3 };
    await expect(check([entry(2 ** 52, 10)], 50, huge)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('no space left'),
    });
  });
});
