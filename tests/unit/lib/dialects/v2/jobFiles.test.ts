import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { listFiles } from '../../../../../lib/dialects/v2/jobFiles.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const name = (i: number) => String(i).padStart(4, '0');
/** In the order in which they are told: folder by folder, by name. */
const PATHS = [
  ...Array.from({ length: 700 }, (_, i) => `a/${name(i)}`),
  ...Array.from({ length: 700 }, (_, i) => `a/deep/${name(i)}`),
  'a-b',
  'a.txt',
  ...Array.from({ length: 700 }, (_, i) => `b/${name(i)}`),
];

describe('the files that a job has left', () => {
  it('are told a page after the other, each once, also where the last one has gone meanwhile', async () => {
    const folder = tempDir();
    for (const path of PATHS) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), '');
    }
    const of = { folder, patterns: ['**'], owner: undefined };
    const told: string[] = [];
    for (let after: string | undefined, isComplete = false; !isComplete; after = told.at(-1)) {
      const page = await listFiles(of, after);
      expect(page.files.length).toBeGreaterThan(0);
      told.push(...page.files.map(({ path }) => path));
      isComplete = page.isComplete;
    }
    expect(told).toEqual([...PATHS]);
    const behind = async (after: string) => (await listFiles(of, after)).files[0]?.path;
    expect(await behind('a')).toBe('a/0000');
    expect(await behind('a/deep')).toBe('a/deep/0000');
    expect(await behind('a/zz/gone')).toBe('a-b');
    expect(await behind('a-b/gone')).toBe('a.txt');
    expect(await behind('b/0699')).toBeUndefined();
  });

  it('are counted where no path leads to them, as their names are not UTF-8', async () => {
    const folder = tempDir();
    writeFileSync(join(folder, 'good\ufffd.txt'), '');
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]), '');
    const of = { folder, patterns: ['**'], owner: undefined };
    const { files, ...more } = await listFiles(of);
    expect(files.map(({ path }) => path)).toEqual(['good\ufffd.txt']);
    expect(more).toEqual({ isComplete: true, notUtf8: 1 });
  });
});
