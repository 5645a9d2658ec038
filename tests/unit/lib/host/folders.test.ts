import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeFolder } from '../../../../lib/host/folders.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('makeFolder', () => {
  it('makes a folder with its parents, and is content with one that is there', () => {
    const path = join(tempDir(), 'a/b/c');
    makeFolder(path, 0o700);
    makeFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('refuses a place below a file, or that is one', () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow('is a file');
    expect(() => makeFolder(join(file, 'below'))).toThrow('ENOTDIR');
  });

  it('comes back from where nobody can make a folder', () => {
    expect(() => makeFolder('/proc/nobody/makes/this')).toThrow('ENOENT');
    expect(() => makeFolder('/proc/nobody')).toThrow(
      "ENOENT: no such file or directory, mkdir '/proc/nobody'",
    );
  });

  it('is how all folders are made: the recursive way of Node may never come back', () => {
    const sources = ['bin', 'crunner', 'lib', 'openshift', 'swarm'].flatMap((root) =>
      readdirSync(root, { recursive: true }).map((name) => join(root, String(name))),
    );
    const recursive = /mkdir(?:Sync)?\([^;]*recursive/;
    const found = sources.filter(
      (path) => path.endsWith('.ts') && recursive.test(readFileSync(path, 'utf8')),
    );
    expect(sources.length).toBeGreaterThan(500);
    expect(found).toEqual([]);
  });
});
