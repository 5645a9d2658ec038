import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeFolder } from '../../../../lib/host/folders.ts';
import { holdFolder, lossOf, requireHeld, whereNow } from '../../../../lib/host/heldFolders.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** So long a folder is taken to be where it was seen. */
const LOOK_MS = 15;

describe('a folder that is held', () => {
  let above: string;
  let folder: string;
  let letGo: () => void;

  beforeEach(() => {
    above = join(tempDir(), 'above');
    folder = join(above, 'folder');
    makeFolder(folder);
    letGo = holdFolder(folder);
  });

  afterEach(() => letGo());

  it('is no loss as long as it is there, and things can be made in it', () => {
    makeFolder(join(folder, 'a', 'b'));
    expect(existsSync(join(folder, 'a', 'b'))).toBe(true);
    expect(lossOf(join(folder, 'a'))).toBeUndefined();
    expect(whereNow(join(folder, 'a'))).toBe(join(folder, 'a'));
  });

  it('is not made anew when what it lies in was moved, and tells where it is', async () => {
    const away = `${above}.away`;
    renameSync(above, away);
    await sleep(LOOK_MS);
    for (const path of [above, folder, join(folder, 'jobs')]) {
      expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code: 'ESTALE' }));
    }
    expect(existsSync(above)).toBe(false);
    expect(lossOf(folder)).toContain(join(away, 'folder'));
    expect(whereNow(join(folder, 'x'))).toBe(join(away, 'folder', 'x'));
    expect(lossOf(`${folder}.other`)).toBeUndefined();
    renameSync(away, above);
    expect(lossOf(folder)).toBeUndefined();
  });

  it('is not the one that somebody else has made in its place', async () => {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await sleep(LOOK_MS);
    expect(() => requireHeld(join(folder, 'file'))).toThrow(/was removed while it was in use/);
    expect(whereNow(folder)).toBe(folder);
  });

  it('can be made anew once all who held it have let go', async () => {
    const other = holdFolder(folder);
    rmSync(folder, { recursive: true });
    await sleep(LOOK_MS);
    letGo();
    expect(() => makeFolder(folder)).toThrow();
    other();
    other();
    makeFolder(folder);
    expect(existsSync(folder)).toBe(true);
  });
});
