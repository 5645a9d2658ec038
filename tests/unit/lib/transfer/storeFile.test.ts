import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { fileNamer, openNameless } from '../../../../lib/transfer/openNameless.ts';
import { openStaging } from '../../../../lib/transfer/staging.ts';
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
    const accept = ({ bytes: count }: { readonly bytes: number }) => {
      throw new Error(`not ${count} bytes`);
    };
    await expect(storeFile(bytes('new'), folder, 'f', {}, { accept })).rejects.toThrow(
      'not 3 bytes',
    );
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('says that a folder has the name', async () => {
    mkdirSync(join(folder, 'f'));
    await expect(storeFile(bytes('new'), folder, 'f')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('has nothing in the folder before all is there, where files without a name can be had', async () => {
    if ((await fileNamer()) === undefined) return;
    const file = await openNameless(folder, { nameable: true });
    await file?.close();
    if (file === undefined) return;
    const seen: string[][] = [];
    const look = () => {
      seen.push(readdirSync(folder));
    };
    await storeFile(bytes('new'), folder, 'f', {}, { accept: look, onBytes: look });
    expect(seen).toEqual([[], []]);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('removes what an earlier process of the same number left, and nothing that is being made', async () => {
    const uuid = '00000000-0000-4000-8000-000000000000';
    mkdirSync(join(folder, `.pfioh-${process.pid}-${uuid}.tmp`));
    const staging = await openStaging(folder);
    await storeFile(bytes('new'), folder, 'f');
    expect(readdirSync(folder)).toEqual([basename(staging.folder.path), 'f']);
    await staging.close();
  });

  it('says that the folder is not there', async () => {
    await expect(storeFile(bytes('x'), join(folder, 'none'), 'f')).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
