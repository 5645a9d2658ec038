import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PRIVATE } from '../../../../lib/host/rights.ts';
import { hostView } from '../../../../lib/jobs/jobView.ts';
import { readOutline } from '../../../../lib/records/outline.ts';
import {
  newRecord,
  recordDone,
  recordDropped,
  recordEnd,
  recordLost,
  recordStart,
} from '../../../../lib/records/record.ts';
import { readTree, writeTree } from '../../../../lib/tree/disk.ts';
import type { TreeNode } from '../../../../lib/tree/node.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const none = () => undefined;

function begun(): TreeNode {
  return newRecord({ rawMeta: { cmd: 'x' }, cmd: 'x', auid: 'a', jid: 'j' });
}

function part(record: TreeNode, k: number, returncode?: number | null, cause?: string): void {
  recordStart(record, k, { cmd: `part ${k}`, pid: 7, startedAt: 1000 * k, host: {} });
  if (returncode === undefined) return;
  const outputs = { stdout: `out ${k}`, stderr: '' };
  const why = cause === undefined ? {} : { cause };
  recordEnd(record, k, { endedAt: 1000 * k + 500, returncode, ...outputs, ...why });
}

/** Writes a record, and gives its folder. */
function written(record: TreeNode): string {
  const folder = tempDir();
  const options = { drafts: join(folder, 'drafts'), fsync: false, rights: PRIVATE };
  mkdirSync(options.drafts);
  writeTree(join(folder, 'job'), record, options);
  return join(folder, 'job');
}

/** What a list shows of the job in a folder: by its outline, where there is one. */
function seen(folder: string): unknown {
  const outline = readOutline(folder, none);
  return outline && shown(outline.tree);
}

function shown(record: TreeNode): unknown {
  const view = hostView(record);
  return { ...view, asked: view.asked(), leaves: [...record.leaves].sort() };
}

function whole(folder: string): unknown {
  const read = readTree(folder, none);
  return read && shown(read.tree);
}

describe('readOutline', () => {
  it('shows a job whose parts have ended as the whole record does', () => {
    const code = fc.constantFrom<number | null>(0, 1, 137, -9, null);
    const parts = fc.array(fc.tuple(code, fc.option(fc.string())), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, fc.option(fc.string({ minLength: 1 })), (ends, dropped) => {
        const record = begun();
        for (const [k, [end, cause]] of ends.entries()) part(record, k, end, cause ?? undefined);
        if (dropped === null) recordDone(record, ends.length);
        else recordDropped(record, ends.length, { cause: dropped, endedAt: 1 });
        const folder = written(record);
        expect(seen(folder)).toEqual(whole(folder));
      }),
      { numRuns: 40 },
    );
  });

  it("shows jobs of the original's database as their whole records do", () => {
    const database = join(import.meta.dirname, '../../../golden/db-sample/pman');
    const folders = readdirSync(database).map((root) => join(database, root));
    const outlined = folders.filter((folder) => readOutline(folder, none) !== undefined);
    expect(outlined.length).toBeGreaterThan(2);
    for (const folder of outlined) expect(seen(folder)).toEqual(whole(folder));
  });

  it('reads each entry once', () => {
    const record = begun();
    for (let k = 0; k < 3; k += 1) part(record, k, 0);
    recordDone(record, 3);
    const folder = written(record);
    for (const side of ['start', 'end'])
      for (const k of side === 'start' ? '0123' : '013')
        rmSync(join(folder, side, k), { recursive: true });
    expect(seen(folder)).toMatchObject({ parts: [{}, {}, { command: 'part 2', exitCode: 0 }] });
  });

  const running = begun();
  part(running, 0);
  const lost = begun();
  part(lost, 0, 0);
  part(lost, 1);
  recordLost(lost, 1, 'nobody knows');
  const refused = begun();
  recordDropped(refused, 0, { cause: 'no place', endedAt: 1 });
  it.each([
    ['that waits', begun()],
    ['that runs', running],
    ['that was lost', lost],
    ['that was never started', refused],
  ])('leaves the record of a job %s to be read as a whole', (_, record) => {
    expect(readOutline(written(record), none)).toBeUndefined();
  });

  it('leaves a record to be read as a whole whose leaves do not fit each other', () => {
    const record = begun();
    part(record, 0, 0);
    part(record, 1, 0);
    recordDone(record, 2);
    const folder = written(record);
    writeFileSync(join(folder, 'jobCount'), '1');
    rmSync(join(folder, 'end', '0'), { recursive: true });
    expect(readOutline(folder, none)).toBeUndefined();
    writeFileSync(join(folder, 'jobCount'), '3');
    expect(readOutline(folder, none)).toBeUndefined();
    writeFileSync(join(folder, 'jobCount'), '"2"');
    expect(readOutline(folder, none)).toBeUndefined();
  });

  it('is nothing where there is no record', () => {
    expect(readOutline(join(tempDir(), 'job'), none)).toBeUndefined();
  });
});
