import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PRIVATE, rightsUnder } from '../../../../lib/host/rights.ts';
import { hostView } from '../../../../lib/jobs/jobView.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { JobDatabase } from '../../../../lib/records/database.ts';
import { exportRecords, importRecords } from '../../../../lib/records/exchange.ts';
import { clearRecordFolder } from '../../../../lib/records/folder.ts';
import { newJobRoot } from '../../../../lib/records/jobRoot.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordLost,
  recordStart,
} from '../../../../lib/records/record.ts';
import type { JsonValue } from '../../../../lib/wire/json.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { summaryOf } from '../../../helpers/records.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let top = '';
let folder = '';
let database: JobDatabase;
const workFolder = () => `${folder}.spool`;

function open(rights = PRIVATE): JobDatabase {
  return JobDatabase.open({
    folder,
    workFolder: workFolder(),
    fsync: false,
    summaryOf,
    rights,
    log: silentLogger(),
  });
}

/** Ends the process of the database as a crash would: nothing more is written. */
function crash(): void {
  renameSync(folder, `${folder}.kept`);
  rmSync(folder, { recursive: true, force: true });
}

async function reopen(): Promise<JobDatabase> {
  await database.close();
  database = open();
  return database;
}

function addJob(jid: string, auid = 'me', cmd = 'true'): string {
  const root = newJobRoot(Date.now());
  database.add(root, newRecord({ rawMeta: { cmd, auid, jid }, cmd, auid, jid }));
  return root;
}

function editorOf(root: string) {
  const editor = database.edit(root);
  if (editor === undefined) throw new Error(`there is no job ${root}`);
  return editor;
}

const start = (root: string, k: number) =>
  recordStart(editorOf(root), k, { cmd: 'x', pid: 1, startedAt: 0, host: {} });
const end = (root: string, k: number, stdout = '') =>
  recordEnd(editorOf(root), k, { endedAt: 1, returncode: 0, stdout, stderr: '' });

function finishedJob(jid: string, auid = 'me'): string {
  const root = addJob(jid, auid);
  start(root, 0);
  end(root, 0);
  recordDone(editorOf(root), 1);
  database.release(root);
  return root;
}

const fileOf = (root: string, ...path: string[]) => join(folder, root, ...path);
const leafOnDisk = (root: string, ...path: string[]): JsonValue =>
  JSON.parse(readFileSync(fileOf(root, ...path), 'utf8'));
const jsonOf = (root: string) => database.tree(root)?.toJson();

/** The inode of each file of a record: a new one means that it was written. */
function inodes(root: string): Map<string, number> {
  const files = readdirSync(fileOf(root), { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .map((path) => [path.slice(fileOf(root).length + 1), statSync(path).ino]),
  );
}

function changed(before: Map<string, number>, after: Map<string, number>): string[] {
  return [...after].filter(([file, ino]) => before.get(file) !== ino).map(([file]) => file);
}

beforeEach(() => {
  top = tempDir();
  folder = join(top, 'pman');
  database = open();
});

afterEach(() => database.close());

describe('JobDatabase: what was told is there after a restart', () => {
  it('ends also when its folder cannot be written any more', async () => {
    renameSync(workFolder(), `${workFolder()}.kept`);
    writeFileSync(workFolder(), 'in the way');
    await expect(database.close()).resolves.toBeUndefined();
  });

  it('tells that a record is complete on the disk, also when the index cannot be written', async () => {
    const index = join(workFolder(), 'index.jsonl');
    mkdirSync(index); // no file can be made there
    const root = finishedJob('a');
    let filed = 0;
    database.release(root, 0, () => {
      filed += 1;
    });
    await database.save();
    expect(filed).toBe(1);
    expect(leafOnDisk(root, 'endInfo')).toEqual({ allJobsDone: true });
    await reopen();
    expect([...(await database.find('jid', 'a'))]).toEqual([root]);
  });

  it('tells of a record that it removes before it is gone: a journal that outlived it would bring it back', async () => {
    const root = addJob('a');
    const seen: boolean[] = [];
    await database.save();
    database.release(root, 0, () => seen.push(existsSync(fileOf(root))));
    await database.remove([root]);
    expect(seen).toEqual([true]);
    expect(existsSync(fileOf(root))).toBe(false);
  });

  it('gives back every record as it was', async () => {
    const roots = [finishedJob('a'), addJob('b'), finishedJob('c', 'ü')];
    const told = roots.map(jsonOf);
    await reopen();
    expect([...database.roots()]).toEqual(roots);
    expect(roots.map(jsonOf)).toEqual(told);
    expect([...(await database.find('jid', 'b'))]).toEqual([roots[1]]);
  });

  it('writes a change soon after it was made, without being asked', async () => {
    const root = addJob('a');
    await eventually(() => existsSync(fileOf(root)), { message: 'the job on the disk' });
    expect(leafOnDisk(root, 'jid')).toBe('a');
  });

  it('writes the leaves that changed, and no other file', async () => {
    const busy = addJob('a');
    const idle = addJob('b');
    start(busy, 0);
    await database.save();
    const [busyBefore, idleBefore] = [inodes(busy), inodes(idle)];
    end(busy, 0, 'hi');
    await database.save();
    expect(changed(idleBefore, inodes(idle))).toEqual([]);
    expect(changed(busyBefore, inodes(busy)).sort()).toEqual([
      ...['end/0/endInfo', 'endInfo', 'jobCount', 'start/0/startInfo', 'startInfo'],
    ]);
    const settled = inodes(busy);
    await database.save();
    expect(changed(settled, inodes(busy))).toEqual([]);
  });

  it('makes the empty nodes of the original, which its loader expects', async () => {
    const root = addJob('a');
    await database.save();
    expect(readdirSync(fileOf(root)).sort()).toEqual([
      ...['auid', 'cmd', 'd_meta', 'end', 'jid', 'jobCount', 'start'],
    ]);
    expect(readFileSync(fileOf(root, 'cmd'), 'utf8')).toBe('"true"');
  });

  it('holds nothing but records', async () => {
    finishedJob('a');
    await database.save();
    expect(readdirSync(folder)).toEqual([...database.roots()]);
  });

  it('keeps the old value of a leaf whose new one was being written in a crash', async () => {
    const root = finishedJob('a');
    await database.save();
    const told = jsonOf(root);
    await database.close();
    mkdirSync(join(workFolder(), 'drafts'), { recursive: true });
    writeFileSync(join(workFolder(), 'drafts', '1-1'), '{"allJobs');
    database = open();
    expect(jsonOf(root)).toEqual(told);
    expect(readdirSync(join(workFolder(), 'drafts'))).toEqual([]);
  });

  it('takes a record up again that a crash caught while it was replaced', async () => {
    const root = finishedJob('a');
    const told = jsonOf(root);
    await database.close();
    const drafts = join(workFolder(), 'drafts');
    mkdirSync(drafts, { recursive: true });
    renameSync(fileOf(root), join(drafts, `old-${root}`));
    database = open();
    expect(jsonOf(root)).toEqual(told);
    expect([...(await database.find('jid', 'a'))]).toEqual([root]);
    expect(readdirSync(drafts)).toEqual([]);
  });
});

describe('JobDatabase: what the disk does', () => {
  it.each(['', '{"0": {"cm', 'garbage', '\0'])(
    'moves a leaf of %j aside, and misses that leaf only',
    async (content) => {
      const [bad, good] = [finishedJob('bad'), finishedJob('good')];
      const told = jsonOf(good);
      await database.close();
      writeFileSync(fileOf(bad, 'startInfo'), content);
      database = open();
      expect([...database.roots()]).toEqual([bad, good]);
      expect(jsonOf(good)).toEqual(told);
      const found = jsonOf(bad);
      expect(found).toMatchObject({ jid: 'bad', endInfo: { allJobsDone: true } });
      expect(found).not.toHaveProperty('startInfo');
      expect(existsSync(fileOf(bad, 'startInfo'))).toBe(false);
      const aside = join(workFolder(), 'unreadable');
      const [kept] = readdirSync(aside);
      expect(kept).toMatch(new RegExp(`^\\d+-${bad}~startInfo$`));
      expect(readFileSync(join(aside, kept ?? ''), 'utf8')).toBe(content);
    },
  );

  it.each([
    ['kept', 1],
    ['lost', 0],
  ])('starts with a jid that cannot be read, its index %s', async (index, found) => {
    const root = finishedJob('a', 'alice');
    await database.close();
    writeFileSync(fileOf(root, 'jid'), '"half');
    if (index === 'lost') rmSync(join(workFolder(), 'index.jsonl'));
    database = open();
    expect([...(await database.find('auid', 'alice'))]).toEqual([root]);
    expect(await database.find('jid', 'a')).toHaveLength(found);
    expect(database.tree(root)?.cat(['cmd'])).toBe('true');
  });

  describe('of jobs that have ended, for lists', () => {
    const outlineFiles = () =>
      readdirSync(join(workFolder(), 'outlines')).map((name) =>
        join(workFolder(), 'outlines', name),
      );
    const outlinesOnDisk = () =>
      outlineFiles()
        .map((file) => readFileSync(file, 'utf8'))
        .join('');
    const viewOf = (root: string) => {
      const record = database.outline(root);
      return record && hostView(record);
    };

    it('has all that they show in one file, so that no record is read for them', async () => {
      const roots = ['a', 'b'].map((jid) => finishedJob(jid));
      await reopen();
      for (const root of roots) rmSync(fileOf(root, 'end'), { recursive: true });
      expect(roots.map((root) => viewOf(root)?.parts.length)).toEqual([1, 1]);
    });

    it('has the same of records that it reads because there is no index', async () => {
      const root = finishedJob('a');
      await database.close();
      rmSync(workFolder(), { recursive: true });
      database = open();
      await reopen();
      rmSync(fileOf(root, 'end'), { recursive: true });
      expect(viewOf(root)?.parts).toHaveLength(1);
    });

    it('keeps there nothing that a job has printed', async () => {
      const root = addJob('a');
      start(root, 0);
      end(root, 0, 'a secret');
      recordDone(editorOf(root), 1);
      database.release(root);
      await reopen();
      expect(outlinesOnDisk()).toContain(root);
      expect(outlinesOnDisk()).not.toContain('secret');
      expect(leafOnDisk(root, 'end', '0', 'endInfo')).toMatchObject({ 0: { stdout: 'a secret' } });
    });

    it('has nothing left there of a job that is removed', async () => {
      const [a, b] = [finishedJob('a'), finishedJob('b')];
      await database.save();
      await database.remove([a]);
      expect(outlinesOnDisk()).not.toContain(a);
      await reopen();
      rmSync(fileOf(b, 'end'), { recursive: true });
      expect(viewOf(b)?.parts).toHaveLength(1);
    });

    it('has nothing left there of a job whose record is gone when it starts: it was killed as it removed it', async () => {
      const [a, b] = [finishedJob('a'), finishedJob('b')];
      await database.close();
      rmSync(fileOf(a), { recursive: true });
      database = open();
      expect(outlinesOnDisk()).not.toContain(a);
      expect(outlinesOnDisk()).toContain(b);
    });

    it('shows a record as it is after it was changed', async () => {
      const root = finishedJob('a');
      await database.save();
      editorOf(root).touch(['cause'], 'news');
      await reopen();
      expect(viewOf(root)?.cause).toBe('news');
      expect(outlinesOnDisk().match(new RegExp(root, 'g'))).toHaveLength(1);
    });

    it('shows a record as somebody has changed it, once all records are read again', async () => {
      const root = finishedJob('a');
      await reopen();
      writeFileSync(fileOf(root, 'cause'), '"by hand"');
      await database.reload();
      expect(viewOf(root)?.cause).toBe('by hand');
      await reopen();
      expect(viewOf(root)?.cause).toBe('by hand');
    });

    it.each([
      ['gone', (file: string) => rmSync(file)],
      ['emptied', (file: string) => writeFileSync(file, '')],
      ['cut off', (file: string) => truncateSync(file, 100)],
      ['garbled', (file: string) => writeFileSync(file, '{"root": 7}\n'.repeat(500))],
      ['no file', (file: string) => [rmSync(file), mkdirSync(file)]],
    ])('reads the record where the file is %s', async (_, spoil) => {
      const roots = ['a', 'b'].map((jid) => finishedJob(jid));
      await database.close();
      for (const file of outlineFiles()) spoil(file);
      database = open();
      expect(roots.map((root) => viewOf(root)?.parts[0]?.exitCode)).toEqual([0, 0]);
      const later = finishedJob('c');
      await reopen();
      expect(viewOf(later)?.parts[0]?.exitCode).toBe(0);
    });
  });

  it('says what it cannot write, loses nothing, and recovers by itself', async () => {
    const early = addJob('early');
    await database.save();
    expect(database.problem).toBeUndefined();
    crash();
    writeFileSync(folder, 'not a folder');
    const late = finishedJob('late');
    start(early, 0);
    await database.save();
    expect(database.problem).toContain(folder);
    // It goes on answering from memory.
    expect([...(await database.find('jid', 'late'))]).toEqual([late]);
    expect(jsonOf(early)).toMatchObject({ startInfo: { '0': { cmd: 'x' } } });
    rmSync(folder);
    renameSync(`${folder}.kept`, folder);
    await database.save();
    expect(database.problem).toBeUndefined();
    expect(leafOnDisk(late, 'endInfo')).toEqual({ allJobsDone: true });
    expect(leafOnDisk(early, 'startInfo')).toMatchObject({ '0': { cmd: 'x' } });
  });

  it('tries a refused write again without being asked', async () => {
    crash();
    writeFileSync(folder, '');
    const root = addJob('a');
    await database.save();
    expect(database.problem).toBeDefined();
    rmSync(folder);
    await eventually(() => database.problem === undefined, { message: 'the write' });
    expect(leafOnDisk(root, 'jid')).toBe('a');
  });

  it('writes a change that came while its record could not be written', async () => {
    const root = addJob('a');
    await database.save();
    rmSync(fileOf(root, 'end'), { recursive: true });
    writeFileSync(fileOf(root, 'end'), 'in the way');
    start(root, 0);
    end(root, 0, 'out');
    await database.save();
    await database.save();
    expect(database.problem).toBeUndefined();
    expect(leafOnDisk(root, 'end', '0', 'endInfo')).toMatchObject({ '0': { stdout: 'out' } });
  });

  it('does not fill the disk with drafts while it cannot write', async () => {
    crash();
    writeFileSync(folder, '');
    addJob('a');
    for (let i = 0; i < 5; i += 1) await database.save();
    expect(readdirSync(join(workFolder(), 'drafts'))).toEqual([]);
    rmSync(folder);
  });

  it('makes its folder anew when that was deleted, with the jobs it has in memory', async () => {
    const root = addJob('a');
    await database.save();
    rmSync(folder, { recursive: true });
    start(root, 0);
    await database.save();
    expect(leafOnDisk(root, 'jid')).toBe('a');
    expect(leafOnDisk(root, 'startInfo')).toMatchObject({ '0': { cmd: 'x' } });
  });

  it('keeps a change of a record for which the memory has no room', async () => {
    const small = finishedJob('small');
    await reopen();
    const large = addJob('large');
    editorOf(large).touch(['stdout'], 'x'.repeat(33 * 1024 * 1024));
    await database.save();
    recordLost(editorOf(small), 1, 'reason');
    await database.save();
    expect(leafOnDisk(small, 'lost')).toBe('reason');
  });

  it.each(['', '.spool'])('refuses to open when others may write <DBpath>%s', async (ending) => {
    await database.close();
    const [place, mode] = [`${folder}${ending}`, statSync(`${folder}${ending}`).mode];
    chmodSync(place, 0o770);
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'storage',
        message: `cannot open the database ${folder}: ${place} can be written by other users (mode 770)`,
        hint: expect.stringContaining(`chmod go-w ${place}`),
      }),
    );
    chmodSync(place, mode);
    database = open();
  });

  it.each([
    [0o077, '700', '600'],
    [0o027, '750', '640'],
  ])(
    'gives records and copies of them the rights under umask %o',
    async (umask, ofFolders, ofFiles) => {
      await database.close();
      rmSync(folder, { recursive: true });
      database = open(rightsUnder(umask));
      const root = finishedJob('a');
      await database.save();
      start(root, 1);
      await database.save();
      const copy = join(top, 'copy');
      await exportRecords(database, copy);
      const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
      for (const place of [folder, copy]) {
        const all = readdirSync(place, { recursive: true, withFileTypes: true });
        const at = (entry: (typeof all)[number]) => modeOf(join(entry.parentPath, entry.name));
        const [folders, files] = [
          all.filter((one) => one.isDirectory()),
          all.filter((one) => one.isFile()),
        ];
        expect(new Set([modeOf(place), ...folders.map(at)])).toEqual(new Set([ofFolders]));
        expect(new Set(files.map(at))).toEqual(new Set([ofFiles]));
      }
      expect(modeOf(workFolder())).toBe('700');
    },
  );

  it('refuses to open what is no folder, with a hint', () => {
    const file = join(top, 'file');
    writeFileSync(file, '');
    expect(() =>
      JobDatabase.open({
        folder: file,
        workFolder: `${file}.s`,
        fsync: false,
        summaryOf,
        log: silentLogger(),
      }),
    ).toThrow(
      expect.objectContaining({ code: 'storage', hint: expect.stringContaining('--DBpath') }),
    );
  });
});

describe('JobDatabase: find', () => {
  it('finds by any leaf at the root of a record, from memory and from the disk', async () => {
    const [a, b] = [finishedJob('a'), addJob('b')];
    const look = async () => {
      expect([...(await database.find('jobCount', 1))]).toEqual([a]);
      expect([...(await database.find('jobCount', 0))]).toEqual([b]);
      expect([...(await database.find('jobCount', false))]).toEqual([b]);
      expect([...(await database.find('cmd', 'true'))]).toEqual([a, b]);
      expect([...(await database.find('endInfo', { allJobsDone: true }))]).toEqual([a]);
      expect([...(await database.find('jid', 'b'))]).toEqual([b]);
      expect([...(await database.find('nosuch', false))]).toEqual([]);
      expect([...(await database.find('start', {}))]).toEqual([]);
    };
    await look();
    await reopen();
    await look();
  });

  it.each(['', '.', '..', '../x', 'start/0/startInfo', 'a\0', 'x'.repeat(5000), '__proto__'])(
    'finds nothing by the key %j',
    async (key) => {
      finishedJob('a');
      writeFileSync(join(top, 'x'), '1');
      await reopen();
      expect([...(await database.find(key, 1))]).toEqual([]);
      expect([...(await database.find(key, false))]).toEqual([]);
    },
  );
});

describe('JobDatabase: remove', () => {
  it('removes a job from memory and from the disk, and leaves the others', async () => {
    const [a, b] = [finishedJob('a'), finishedJob('b')];
    await database.save();
    await database.remove([a, 'nosuch']);
    expect([...database.roots()]).toEqual([b]);
    expect(database.tree(a)).toBeUndefined();
    expect(database.edit(a)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([b]);
    await reopen();
    expect([...database.roots()]).toEqual([b]);
  });

  it('does not write a job any more that was removed before it was written', async () => {
    await database.remove([addJob('a')]);
    await database.save();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('records to and from other folders', () => {
  it('copies records that another database can load', async () => {
    const roots = [finishedJob('a'), finishedJob('b')];
    const told = roots.map(jsonOf);
    const copy = join(top, 'deep', 'copy');
    await exportRecords(database, copy);
    expect(readdirSync(join(top, 'deep'))).toEqual(['copy']);
    await database.remove(roots);
    await importRecords(database, copy);
    expect([...database.roots()]).toEqual(roots);
    expect(roots.map(jsonOf)).toEqual(told);
    await database.save();
    expect(readdirSync(folder)).toEqual(roots);
  });

  it('copies the jobs that were named, beside what the copy holds', async () => {
    const [a, b] = [finishedJob('a'), finishedJob('b')];
    const copy = join(top, 'copy');
    await exportRecords(database, copy, { roots: [a] });
    await exportRecords(database, copy, { roots: [b] });
    expect(readdirSync(copy).sort()).toEqual([a, b]);
    expect([...database.roots()]).toEqual([a, b]);
  });

  it('copies into one folder from two requests at once', async () => {
    const root = finishedJob('a');
    const copy = join(top, 'copy');
    await Promise.all([
      exportRecords(database, copy),
      exportRecords(database, copy),
      exportRecords(database, copy),
    ]);
    expect(readdirSync(copy)).toEqual([root]);
    expect(readdirSync(top).sort()).toEqual(['copy', 'pman', 'pman.spool']);
  });

  it('refuses a folder that holds anything else, and leaves it alone', async () => {
    finishedJob('a');
    const home = join(top, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'letter'), 'dear');
    const refusal = expect.objectContaining({
      code: 'conflict',
      message: expect.stringContaining('letter'),
    });
    await expect(exportRecords(database, home)).rejects.toEqual(refusal);
    await expect(importRecords(database, home)).rejects.toEqual(refusal);
    await expect(clearRecordFolder(home)).rejects.toEqual(refusal);
    await expect(exportRecords(database, join(home, 'letter'))).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(readdirSync(home)).toEqual(['letter']);
    expect(readFileSync(join(home, 'letter'), 'utf8')).toBe('dear');
  });

  it('says that the disk refuses a copy', async () => {
    finishedJob('a');
    writeFileSync(join(top, 'file'), '');
    await expect(exportRecords(database, join(top, 'file', 'copy'))).rejects.toMatchObject({
      code: 'storage',
    });
    await expect(importRecords(database, join(top, 'file', 'copy'))).rejects.toMatchObject({
      code: 'storage',
    });
  });

  it('does not load a job twice, and keeps what it knows of it', async () => {
    const root = finishedJob('a');
    const copy = join(top, 'copy');
    await exportRecords(database, copy);
    editorOf(root).touch(['note'], 'newer');
    await importRecords(database, copy);
    expect([...database.roots()]).toEqual([root]);
    expect(jsonOf(root)).toMatchObject({ note: 'newer' });
  });

  it('passes over unreadable leaves of a copy, and leaves the copy as it is', async () => {
    const root = finishedJob('a');
    const copy = join(top, 'copy');
    await exportRecords(database, copy);
    await database.remove([root]);
    writeFileSync(join(copy, root, 'cmd'), 'garbage');
    await importRecords(database, copy);
    expect(jsonOf(root)).toMatchObject({ jid: 'a' });
    expect(readFileSync(join(copy, root, 'cmd'), 'utf8')).toBe('garbage');
  });

  it('forgets what was removed from its own folder, but no job that has not ended', async () => {
    const [gone, kept, running] = [finishedJob('a'), finishedJob('b'), addJob('c')];
    start(running, 0);
    await database.save();
    rmSync(fileOf(gone), { recursive: true });
    rmSync(fileOf(running), { recursive: true });
    await database.reload();
    expect([...database.roots()]).toEqual([kept, running]);
    expect(jsonOf(running)).toMatchObject({ startInfo: { '0': { cmd: 'x' } } });
    expect(database.tree(gone)).toBeUndefined();
  });

  it('takes in what was put into its own folder', async () => {
    const root = finishedJob('a');
    const copy = join(top, 'copy');
    await exportRecords(database, copy);
    await database.remove([root]);
    renameSync(join(copy, root), fileOf(root));
    await database.reload();
    expect([...(await database.find('jid', 'a'))]).toEqual([root]);
  });
});

describe('clearRecordFolder', () => {
  it('removes the records of a copy, and nothing when there is none', async () => {
    finishedJob('a');
    const copy = join(top, 'copy');
    await exportRecords(database, copy);
    await clearRecordFolder(copy);
    expect(readdirSync(copy)).toEqual([]);
    await clearRecordFolder(join(top, 'nosuch'));
  });
});
