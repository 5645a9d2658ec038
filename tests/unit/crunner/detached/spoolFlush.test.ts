import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { tempDir } from '../../../helpers/tempDir.ts';

interface Flush {
  readonly path: string;
  confirm(): void;
  refuse(): void;
}

/** What the disk has been asked to confirm, and has not yet. */
const asked: Flush[] = [];

jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  fsync: (fd: number, done: (error: Error | null) => void) => {
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
    const refuse = () => done(Object.assign(new Error('it is broken'), { code: 'EIO' }));
    asked.push({ path, confirm: () => done(null), refuse });
  },
}));
const { createSpool, readSpool, writeConfirmedLine } = await import(
  '../../../../crunner/detached/spool.ts'
);

const REQUEST = { parts: ['true'], owner: null };
const start = { pid: 5, startedAt: 1 };
const end = { endedAt: 2, returncode: 0, last: true };

/** All that is asked for now, by the names of the files; the disk confirms it. */
function confirmAll(): readonly string[] {
  const now = asked.splice(0);
  for (const { confirm } of now) confirm();
  return now.map(({ path }) => path);
}

it('writes a line at once, and goes on when the disk has confirmed it and the names that lead to it', async () => {
  const folder = join(tempDir(), 'job');
  createSpool(folder, REQUEST);
  let isConfirmed = false;
  const started = writeConfirmedLine(folder, { part: 0, start }).then(() => {
    isConfirmed = true;
  });
  expect(readSpool(folder)?.parts).toEqual([{ start }]);
  const [first, ...others] = asked.splice(0);
  expect([first, ...others].map((one) => one?.path)).toEqual(
    expect.arrayContaining([join(folder, 'job.jsonl'), folder, dirname(folder)]),
  );
  for (const { confirm } of others) confirm();
  await new Promise(setImmediate);
  expect(isConfirmed).toBe(false);
  first?.confirm();
  await started;
  // These names are known by then.
  const ended = writeConfirmedLine(folder, { part: 0, end });
  expect(confirmAll()).not.toContain(dirname(folder));
  await ended;
  expect(readSpool(folder)?.parts).toEqual([{ start, end }]);
});

it('says that the disk refuses once nothing is asked of it any more', async () => {
  const folder = join(tempDir(), 'job');
  createSpool(folder, REQUEST);
  let refused: unknown;
  const started = writeConfirmedLine(folder, { part: 0, start }).catch((error: unknown) => {
    refused = error;
  });
  const [first, ...others] = asked.splice(0);
  first?.refuse();
  await new Promise(setImmediate);
  expect(refused).toBeUndefined();
  for (const { confirm } of others) confirm();
  await started;
  expect(refused).toMatchObject({ code: 'EIO' });
});

it('has the folder of all jobs confirmed once for those that start meanwhile', async () => {
  const spool = tempDir();
  const folders = ['a', 'b', 'c', 'd'].map((name) => join(spool, name));
  for (const folder of folders) createSpool(folder, REQUEST);
  const lines = folders.map((folder) => writeConfirmedLine(folder, { part: 0, start }));
  expect(confirmAll().filter((path) => path === spool)).toHaveLength(1);
  await lines[0];
  await new Promise(setImmediate);
  expect(confirmAll()).toEqual([spool]);
  await Promise.all(lines);
});
