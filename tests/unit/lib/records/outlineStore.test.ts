import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../../lib/log.ts';
import type { OutlinePlace } from '../../../../lib/records/index/jobSummary.ts';
import { newJobRoot } from '../../../../lib/records/jobRoot.ts';
import { OutlineStore } from '../../../../lib/records/outlineStore.ts';
import { TreeNode } from '../../../../lib/tree/node.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let folder = '';
beforeEach(() => {
  folder = join(tempDir(), 'outlines');
});

function opened(places: readonly OutlinePlace[] = []): OutlineStore {
  const store = new OutlineStore(folder, silentLogger());
  store.open(places);
  return store;
}

/** A job that has ended, of some kilobytes. */
function job(n: number): TreeNode {
  const record = new TreeNode();
  record.touch(['cmd'], `command ${n}`);
  record.touch(['d_meta'], 'x'.repeat(8000));
  return record;
}

interface Added {
  readonly root: string;
  readonly place: OutlinePlace;
  readonly cmd: string;
}

function addTo(store: OutlineStore, count: number): readonly Added[] {
  return Array.from({ length: count }, (_, n) => {
    const root = newJobRoot(n);
    return { root, place: store.add(root, job(n)) as OutlinePlace, cmd: `command ${n}` };
  });
}

const cmdIn = (store: OutlineStore, { root, place }: Added) =>
  store.read(root, place)?.tree.cat(['cmd']);
const files = () => (existsSync(folder) ? readdirSync(folder) : []);
const bytes = () => files().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

describe('OutlineStore', () => {
  it('makes nothing on the disk before there is an outline', () => {
    opened().close();
    expect(existsSync(folder)).toBe(false);
  });

  it('gives back what was kept, at once and by another server, however many files that takes', () => {
    const store = opened();
    const jobs = addTo(store, 2500);
    expect(jobs.map((one) => cmdIn(store, one))).toEqual(jobs.map(({ cmd }) => cmd));
    store.close();
    expect(files().length).toBeGreaterThan(2);
    const next = opened(jobs.map(({ place }) => place));
    expect(jobs.map((one) => cmdIn(next, one))).toEqual(jobs.map(({ cmd }) => cmd));
    next.close();
  });

  it('is for nobody else to read', () => {
    const store = opened();
    addTo(store, 1);
    store.close();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, files()[0] ?? '')).mode & 0o777).toBe(0o600);
  });

  it('goes on in the file of the server before', () => {
    const places: OutlinePlace[] = [];
    for (let n = 0; n < 5; n += 1) {
      const store = opened(places);
      const before = places.length;
      const jobs = addTo(store, 2);
      places.push(...jobs.map(({ place }) => place));
      expect(jobs.map((one) => cmdIn(store, one))).toEqual(['command 0', 'command 1']);
      expect(places.length).toBe(before + 2);
      store.close();
    }
    expect(files()).toHaveLength(1);
    expect(new Set(places.map(([at]) => at)).size).toBe(10);
  });

  it('gives the outline of no other job', () => {
    const store = opened();
    const [one, other] = addTo(store, 2) as [Added, Added];
    expect(store.read(one.root, other.place)).toBeUndefined();
    store.erase(one.root, other.place);
    expect(cmdIn(store, other)).toBe('command 1');
    store.close();
  });

  it('keeps none that is long: its record is as soon read', () => {
    const record = job(1);
    record.touch(['cmd'], 'x'.repeat(20_000));
    expect(opened().add(newJobRoot(1), record)).toBeUndefined();
  });

  it('gives nothing of a job that is gone, and the neighbours as they were', () => {
    const store = opened();
    const [first, second, third] = addTo(store, 3) as [Added, Added, Added];
    expect(cmdIn(store, second)).toBe('command 1');
    store.erase(second.root, second.place);
    expect([first, second, third].map((one) => cmdIn(store, one))).toEqual([
      'command 0',
      undefined,
      'command 2',
    ]);
    store.close();
    const text = readFileSync(join(folder, files()[0] ?? ''), 'utf8');
    expect(text).not.toContain(second.root);
    expect(text.split('\n')).toHaveLength(4);
  });

  it('gives the room back of jobs that are gone, and keeps what others have', () => {
    const store = opened();
    const jobs = addTo(store, 5000);
    const kept = jobs.filter((_, n) => n > 4800);
    for (const [n, { root, place }] of jobs.entries()) if (n <= 4800) store.erase(root, place);
    expect(kept.map((one) => cmdIn(store, one))).toEqual(kept.map(({ cmd }) => cmd));
    store.close();
    expect(bytes()).toBeLessThan(9 * 1024 * 1024);
  });

  it('removes at start the files of which nothing is told', () => {
    const store = opened();
    const jobs = addTo(store, 2500);
    store.close();
    const last = jobs.slice(-1);
    const next = opened(last.map(({ place }) => place));
    expect(files()).toHaveLength(1);
    expect(last.map((one) => cmdIn(next, one))).toEqual(['command 2499']);
    next.close();
  });

  it('writes nothing where a job is told to have its outline, also when that file is gone', () => {
    const store = opened([[7 * 16 * 1024 * 1024, 100]]);
    const [one] = addTo(store, 1) as [Added];
    expect(one.place[0]).toBe(8 * 16 * 1024 * 1024);
    store.close();
  });
});
