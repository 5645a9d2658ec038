import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { replaceFile, withDraft, writeNewFile } from '../../../../lib/host/atomicFile.ts';
import { rightsUnder } from '../../../../lib/host/rights.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let top = '';
beforeEach(() => {
  top = tempDir();
});
const place = (...path: string[]) => join(top, ...path);
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe('replaceFile', () => {
  it.each([false, true])('puts a new file in the place of the old one (fsync: %s)', (fsync) => {
    writeFileSync(place('file'), 'old');
    const { ino } = statSync(place('file'));
    replaceFile(place('file'), 'new', { fsync });
    expect(readFileSync(place('file'), 'utf8')).toBe('new');
    expect(statSync(place('file')).ino).not.toBe(ino);
    expect(readdirSync(top)).toEqual(['file']);
  });

  it('makes files for this user alone, unless told otherwise', () => {
    replaceFile(place('own'), 'x');
    replaceFile(place('shared'), Buffer.from('x'), { rights: rightsUnder(0o027) });
    expect([modeOf(place('own')), modeOf(place('shared'))]).toEqual(['600', '640']);
  });

  it('replaces a link, and leaves alone what it leads to', () => {
    writeFileSync(place('victim'), 'precious');
    symlinkSync(place('victim'), place('link'));
    replaceFile(place('link'), 'x');
    expect(readFileSync(place('victim'), 'utf8')).toBe('precious');
    expect(readFileSync(place('link'), 'utf8')).toBe('x');
  });

  it('makes the folder of the file where drafts are elsewhere, and leaves none of them', () => {
    mkdirSync(place('drafts'));
    replaceFile(place('a', 'b', 'file'), 'x', { drafts: place('drafts') });
    expect(readFileSync(place('a', 'b', 'file'), 'utf8')).toBe('x');
    expect(readdirSync(place('drafts'))).toEqual([]);
  });

  it('leaves no draft behind when the disk refuses the place', () => {
    mkdirSync(place('folder', 'full'), { recursive: true });
    expect(() => replaceFile(place('folder'), 'x')).toThrow();
    expect(readdirSync(top)).toEqual(['folder']);
  });
});

describe('withDraft', () => {
  it('gives each draft a name that nobody can know beforehand', () => {
    const names = Array.from({ length: 50 }, () => withDraft(top, (draft) => draft));
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name).toMatch(/\/\.draft-[0-9a-f-]{36}$/);
  });
});

describe('writeNewFile', () => {
  it('follows no link that stands in its way, and writes over nothing', () => {
    symlinkSync(place('elsewhere'), place('link'));
    expect(() => writeNewFile(place('link'), 'x')).toThrow('EEXIST');
    expect(existsSync(place('elsewhere'))).toBe(false);
    writeFileSync(place('file'), 'old');
    expect(() => writeNewFile(place('file'), 'x')).toThrow('EEXIST');
    expect(readFileSync(place('file'), 'utf8')).toBe('old');
  });
});
