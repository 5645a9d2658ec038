import * as fs from 'node:fs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { tempDir } from '../../../helpers/tempDir.ts';

/** What the disk says when folders are listed. */
let trouble: string | undefined;
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  readdirSync: (...args: Parameters<typeof fs.readdirSync>) => {
    if (trouble !== undefined) throw Object.assign(new Error(trouble), { code: trouble });
    return fs.readdirSync(...args);
  },
}));
const { TreeCache } = await import('../../../../lib/records/cache.ts');
const { RecordReader } = await import('../../../../lib/records/recordReader.ts');

let folder = '';
let cache: InstanceType<typeof TreeCache>;
let reader: InstanceType<typeof RecordReader>;
let blamed: string[] = [];

beforeEach(() => {
  folder = tempDir();
  blamed = [];
  cache = new TreeCache(() => true);
  reader = new RecordReader({
    folder,
    cache,
    summaryOf: (record) => ({ jid: record.cat(['jid']) ?? null }),
    keptOutline: () => undefined,
    onUnreadable: (file) => blamed.push(file),
  });
  mkdirSync(join(folder, 'job'));
  writeFileSync(join(folder, 'job', 'jid'), '"a"');
});
afterEach(() => {
  trouble = undefined;
});

describe('RecordReader', () => {
  it('reads a record once, and keeps it in memory for those who ask again', () => {
    const record = reader.tree('job');
    expect(record?.toJson()).toEqual({ jid: 'a' });
    expect(reader.tree('job')).toBe(record);
    expect(reader.tree('nosuch')).toBeUndefined();
  });

  it('reads one leaf without the rest, and believes the memory first', () => {
    expect(reader.leaf('job', 'jid')).toBe('a');
    expect(cache.get('job')).toBeUndefined();
    expect(reader.leaf('job', 'nosuch')).toBeUndefined();
    expect(reader.leaf('job', '../job/jid')).toBeUndefined();
    reader.tree('job')?.touch(['jid'], 'b');
    expect(reader.leaf('job', 'jid')).toBe('b');
  });

  it('gives the outline of a record that has ended until the whole is asked for', () => {
    writeFileSync(join(folder, 'job', 'jobCount'), '1');
    writeFileSync(join(folder, 'job', 'endInfo'), '{"allJobsDone": true}');
    mkdirSync(join(folder, 'job', 'end', '0'), { recursive: true });
    writeFileSync(join(folder, 'job', 'end', '0', 'endInfo'), '{"0": {"doneTrigger": true}}');
    mkdirSync(join(folder, 'job', 'end', '1'));
    const outline = reader.outline('job');
    expect(outline?.cat(['end', '0', 'endInfo'])).toEqual({ 0: { doneTrigger: true } });
    expect(outline?.node(['end', '1'])).toBeUndefined();
    expect(reader.outline('job')).toBe(outline);
    const whole = reader.tree('job');
    expect(whole?.node(['end', '1'])).toBeDefined();
    expect(reader.outline('job')).toBe(whole);
  });

  it('gives the whole record where there is no outline', () => {
    expect(reader.outline('job')).toBe(reader.tree('job'));
    expect(reader.outline('nosuch')).toBeUndefined();
  });

  it('sums a record up without keeping it', () => {
    expect(reader.summary('job')?.summary).toEqual({ jid: 'a' });
    expect(cache.get('job')).toBeUndefined();
    expect(reader.summary('nosuch')).toBeUndefined();
  });

  it('takes a folder that it may not look into for a job of which nothing is known', () => {
    trouble = 'EACCES';
    expect(reader.summary('job')).toEqual({ summary: {} });
    expect(blamed).toEqual([join(folder, 'job')]);
  });

  it('asks to try again when the system lacks what reading takes', () => {
    trouble = 'EMFILE';
    expect(() => reader.tree('job')).toThrow(
      expect.objectContaining({ code: 'unavailable', hint: 'try again' }),
    );
    expect(blamed).toEqual([]);
  });
});
