import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileArrivals } from '../../../../lib/fileio/fileArrivals.ts';

/** Longer than any test: only a change ends such a wait. */
const LONG_MS = 600_000;

describe('FileArrivals', () => {
  let place: string;
  let arrivals: FileArrivals;
  const file = () => join(place, 'folder/file');
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'pman-arrivals-'));
    mkdirSync(join(place, 'folder'));
    arrivals = new FileArrivals(file());
  });
  afterEach(() => {
    arrivals.close();
    rmSync(place, { recursive: true, force: true });
  });
  const next = (mostMs = LONG_MS) => arrivals.next(new AbortController().signal, mostMs);

  it('ends a wait when the file comes, also between a look and the wait', async () => {
    arrivals.watch();
    const waiting = next();
    writeFileSync(file(), 'x');
    await waiting;
    writeFileSync(`${file()}-draft`, 'x');
    renameSync(`${file()}-draft`, file());
    await next();
  });

  it('sleeps while other files come', async () => {
    arrivals.watch();
    let hasEnded = false;
    const waiting = next().then(() => {
      hasEnded = true;
    });
    const other = new FileArrivals(`${file()}-other`);
    other.watch();
    const told = other.next(new AbortController().signal, LONG_MS);
    writeFileSync(`${file()}-other`, 'x');
    await told;
    other.close();
    expect(hasEnded).toBe(false);
    writeFileSync(file(), 'x');
    await waiting;
  });

  it('watches the folder that has taken the place of another one', async () => {
    arrivals.watch();
    renameSync(join(place, 'folder'), join(place, 'former'));
    mkdirSync(join(place, 'folder'));
    arrivals.watch();
    const waiting = next();
    writeFileSync(file(), 'x');
    await waiting;
  });

  it('waits for a time where there is no folder, and until it is told to end', async () => {
    rmSync(join(place, 'folder'), { recursive: true });
    arrivals.watch();
    await next(1);
    const ending = new AbortController();
    const waiting = arrivals.next(ending.signal, LONG_MS);
    ending.abort();
    await waiting;
  });
});
