import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { tempDir } from '../../../helpers/tempDir.ts';

/** How many bytes the disk takes of each write; undefined: all. */
let room: number | undefined;

// What a write to a disk does that becomes full meanwhile: no test can rely on such a disk.
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  writeSync: (fd: number, bytes: Buffer) => fs.writeSync(fd, bytes, 0, room ?? bytes.length),
}));
const { createSpool, readSpool, writeLine } = await import('../../../../crunner/detached/spool.ts');

it('takes back the part of a line that the disk took before it was full', () => {
  const folder = join(tempDir(), 'job');
  const journal = () => fs.readFileSync(join(folder, 'job.jsonl'), 'utf8');
  const request = { parts: ['true'], owner: null };
  const start = { pid: 5, startedAt: 1 };
  createSpool(folder, request);
  const before = journal();
  room = 10;
  expect(() => writeLine(folder, { part: 0, start }, false)).toThrow(
    expect.objectContaining({ code: 'ENOSPC' }),
  );
  expect(journal()).toBe(before);
  room = undefined;
  writeLine(folder, { part: 0, start }, false);
  expect(readSpool(folder)).toEqual({ request, parts: [{ start }] });
});
