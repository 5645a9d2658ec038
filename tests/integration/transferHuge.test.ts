import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

const SIZE = 4 * 1024 ** 3 + 12_345;
/** Where the file is not empty: at its start, around 4 GiB, at its end. */
const MARKS = [0, 2 ** 31, 2 ** 32 - 3, SIZE - 6].map((at, i) => ({ at, text: `mark ${i}` }));

function makeHuge(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  const fd = openSync(path, 'r+');
  for (const { at, text } of MARKS) writeSync(fd, text, at);
  closeSync(fd);
}

function marksOf(path: string): { readonly at: number; readonly text: string }[] {
  const fd = openSync(path, 'r');
  const found = MARKS.map(({ at }) => {
    const bytes = Buffer.alloc(6);
    readSync(fd, bytes, 0, 6, at);
    return { at, text: bytes.toString() };
  });
  closeSync(fd);
  return found;
}

describe('purl and pfioh', () => {
  // The rest of the content is what the checksum in the archive says: pfioh refuses another.
  it('pass a file beyond 4 GiB in an archive with little memory', async () => {
    const folder = opened.folder();
    mkdirSync(join(folder, 'src'));
    mkdirSync(join(folder, 'store'));
    makeHuge(join(folder, 'src/huge'));
    const { address, child } = await opened.pfioh(['--storeBase', join(folder, 'store')]);
    const msg = transferMessage('pushPath', { local: join(folder, 'src'), remote: '.' });
    const pushed = await opened.purl(['--quiet', '--fail', '--http', address, '--msg', msg]);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    const arrived = join(folder, 'store/src/huge');
    expect(statSync(arrived).size).toBe(SIZE);
    expect(marksOf(arrived)).toEqual(MARKS);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    expect(Number(peak)).toBeLessThan(150 * 1024);
  }, 240_000);
});
