import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { storeFile } from '../../../../lib/transfer/storeFile.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let folder = '';
beforeEach(() => {
  folder = tempDir();
});
const bytes = (text: string) => Readable.from([Buffer.from(text)]);

describe('storeFile', () => {
  it('replaces a file as a whole, with the mode and time that it is given', async () => {
    writeFileSync(join(folder, 'f'), 'old');
    const mtimeNs = 1_000_000_000_250_000_000n;
    await storeFile(bytes('new'), folder, 'f', { mode: 0o6751, mtimeNs });
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('new');
    const stats = statSync(join(folder, 'f'), { bigint: true });
    // Bits that would run the file as its owner do not come over the network.
    expect(Number(stats.mode & 0o7777n)).toBe(0o751);
    expect(stats.mtimeNs / 1000n).toBe(mtimeNs / 1000n);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('leaves the old content when what came is refused', async () => {
    writeFileSync(join(folder, 'f'), 'old');
    const refuse = ({ bytes: count }: { readonly bytes: number }) => {
      throw new Error(`not ${count} bytes`);
    };
    await expect(storeFile(bytes('new'), folder, 'f', {}, refuse)).rejects.toThrow('not 3 bytes');
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('says that a folder has the name', async () => {
    mkdirSync(join(folder, 'f'));
    await expect(storeFile(bytes('new'), folder, 'f')).rejects.toMatchObject({ code: 'conflict' });
  });
});
