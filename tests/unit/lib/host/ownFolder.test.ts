import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { isOpenToOthers, makeOwnFolder } from '../../../../lib/host/ownFolder.ts';
import { PRIVATE, rightsUnder } from '../../../../lib/host/rights.ts';
import { itWithEngine, notRoot } from '../../../helpers/engine.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let folder = '';
beforeEach(() => {
  folder = join(tempDir(), 'a', 'db');
});

function makeWith(mode: number): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, mode);
}

describe('makeOwnFolder', () => {
  it('makes the folder with the rights that it is told', () => {
    expect(makeOwnFolder(folder, 0o700)).toBeUndefined();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each([0o700, 0o755, 0o750, 0o711])('is content with a folder of mode %o', (mode) => {
    makeWith(mode);
    expect(makeOwnFolder(folder, 0o700)).toBeUndefined();
    expect(statSync(folder).mode & 0o777).toBe(mode);
  });

  it.each([0o777, 0o1777, 0o770, 0o702, 0o720])('complains of a folder of mode %o', (mode) => {
    makeWith(mode);
    expect(makeOwnFolder(folder, 0o700)).toMatchObject({
      problem: expect.stringContaining(`${folder} can be written by other users`),
      remedy: expect.stringContaining('chmod go-w'),
    });
  });

  it('complains of a link, wherever it leads', () => {
    makeWith(0o700);
    const link = `${folder}.link`;
    symlinkSync(folder, link);
    expect(makeOwnFolder(link, 0o700)?.problem).toBe(`${link} is a symbolic link`);
  });

  itWithEngine('complains of a folder of another user', notRoot, () => {
    makeWith(0o700);
    chownSync(folder, 65_534, 65_534);
    expect(makeOwnFolder(folder, 0o700)).toMatchObject({
      problem: expect.stringContaining('belongs to another user (uid 65534; this is uid 0)'),
      remedy: expect.stringContaining(`chown -R 0 ${folder}`),
    });
  });
});

describe('isOpenToOthers', () => {
  it('is true when others may do more than they are to', () => {
    makeWith(0o750);
    expect(isOpenToOthers(folder, PRIVATE)).toBe(true);
    expect(isOpenToOthers(folder, rightsUnder(0o027))).toBe(false);
    makeWith(0o700);
    expect(isOpenToOthers(folder, PRIVATE)).toBe(false);
  });
});
