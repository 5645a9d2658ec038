import * as fs from 'node:fs';
import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** How many bytes the disk takes of each write; undefined: all. */
let room: number | undefined;
/** How often the disk was asked to confirm, and what it answers. */
let flushes = 0;
let refusal: Error | undefined;

// What a disk does that becomes full or fails meanwhile: no test can rely on such a disk.
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  writeSync: (fd: number, bytes: Buffer) => fs.writeSync(fd, bytes, 0, room ?? bytes.length),
  fdatasync: (fd: number, done: (error: Error | null) => void) => {
    flushes += 1;
    fs.fdatasync(fd, (error) => done(refusal ?? error));
  },
}));
const { LineFile } = await import('../../../../lib/host/lineFile.ts');

let path: string;
let file: InstanceType<typeof LineFile>;
const text = () => fs.readFileSync(path, 'utf8');
const openFiles = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    const target = `/proc/self/fd/${fd}`;
    return fs.existsSync(target) && fs.readlinkSync(target).startsWith(path);
  });

beforeEach(() => {
  room = undefined;
  refusal = undefined;
  flushes = 0;
  path = join(mkdtempSync(join(tempDir(), 'lines-')), 'folder', 'a.jsonl');
  file = new LineFile(path, false);
});
afterEach(() => file.close());

describe('add', () => {
  it('makes the file and its folder, for this user alone, and adds whole lines', () => {
    file.add('one');
    file.add('two');
    expect(text()).toBe('one\ntwo\n');
    expect(file.bytes).toBe(8);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes back the part of a line that the disk took before it was full', () => {
    file.add('one');
    room = 2;
    expect(() => file.add('two')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(text()).toBe('one\n');
    room = undefined;
    file.add('three');
    expect(text()).toBe('one\nthree\n');
  });

  it('ends a line first that a crash of the machine has cut', () => {
    fs.mkdirSync(join(path, '..'));
    fs.writeFileSync(path, 'one\ntw');
    file.add('three');
    file.add('four');
    expect(text()).toBe('one\ntw\nthree\nfour\n');
  });

  it('makes the file anew that somebody has removed', async () => {
    file.add('one');
    fs.rmSync(join(path, '..'), { recursive: true });
    // It is looked for once in a while.
    await eventually(() => {
      file.add('two');
      return fs.existsSync(path);
    });
    expect(text()).toBe('two\n');
  });

  it('goes on with a file that was closed or emptied', () => {
    file.add('one');
    file.close();
    expect(openFiles()).toEqual([]);
    file.add('two');
    expect(text()).toBe('one\ntwo\n');
    file.clear();
    file.add('three');
    expect(text()).toBe('three\n');
    file.remove();
    expect(fs.existsSync(path)).toBe(false);
  });
});

describe('flushed', () => {
  it('has one flush confirm what many have added while another one was under way', async () => {
    const asked: Promise<void>[] = [];
    for (let i = 0; i < 20; i += 1) {
      file.add(String(i));
      asked.push(file.flushed());
    }
    await Promise.all(asked);
    expect(flushes).toBeLessThanOrEqual(2);
    file.add('later');
    await file.flushed();
    expect(flushes).toBeLessThanOrEqual(3);
  });

  it('begins behind what was added: a flush that was under way by then does not count', async () => {
    file.add('one');
    const first = file.flushed();
    await Promise.resolve();
    file.add('two');
    await Promise.all([first, file.flushed()]);
    expect(flushes).toBe(2);
  });

  it('tells all who share a flush that it failed, and tries again for the next', async () => {
    file.add('one');
    refusal = Object.assign(new Error('the disk is broken'), { code: 'EIO' });
    const asked = [file.flushed(), file.flushed()];
    await expect(Promise.allSettled(asked)).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    refusal = undefined;
    await file.flushed();
  });

  it('keeps the file open until it is over', async () => {
    file.add('one');
    const flushed = file.flushed();
    file.close();
    await flushed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(openFiles()).toEqual([]);
  });
});
