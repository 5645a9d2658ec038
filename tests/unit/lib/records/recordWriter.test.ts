import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { silentLogger } from '../../../../lib/log.ts';
import { JobDatabase } from '../../../../lib/records/database.ts';
import { newJobRoot } from '../../../../lib/records/jobRoot.ts';
import { newRecord, recordEnd, recordStart } from '../../../../lib/records/record.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { summaryOf } from '../../../helpers/records.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const JOBS = 20;
/** Each stands in four leaves of a record. */
const OUTPUT = 'x'.repeat(500_000);
/** So many records may hold the 8 MiB of output that are left for later. */
const LEFT = 5;

it('writes long outputs at once instead of in turns, so that a burst of them does not fill the memory', async () => {
  const folder = join(tempDir(), 'pman');
  const workFolder = `${folder}.spool`;
  const database = JobDatabase.open({
    folder,
    workFolder,
    fsync: false,
    summaryOf,
    log: silentLogger(),
  });
  for (let k = 0; k < JOBS; k += 1) {
    const [root, job] = [newJobRoot(Date.now()), { cmd: 'x', auid: 'me', jid: `j${k}` }];
    database.add(root, newRecord({ rawMeta: job, ...job }));
    const editor = database.edit(root);
    if (editor === undefined) throw new Error('there is no such job');
    recordStart(editor, 0, { cmd: 'x', pid: 1, startedAt: 0, host: {} });
    recordEnd(editor, 0, { endedAt: 1, returncode: 0, stdout: OUTPUT, stderr: '' });
  }
  const written = () => readdirSync(folder).length;
  // The first time that anybody can see any of them.
  const seen = await eventually(written, { pollMs: 1 });
  expect(seen).toBeGreaterThanOrEqual(JOBS - LEFT);
  await database.save();
  expect(written()).toBe(JOBS);
  await database.close();
});

it('writes what may wait when it has waited, with what has come meanwhile, and at once when somebody waits for a save', async () => {
  const folder = join(tempDir(), 'pman');
  const options = { folder, workFolder: `${folder}.spool`, fsync: false, summaryOf };
  const database = JobDatabase.open({ ...options, log: silentLogger() });
  const add = (jid: string, withinMs?: number) => {
    const [root, job] = [newJobRoot(Date.now()), { cmd: 'x', auid: 'me', jid }];
    const how = withinMs === undefined ? {} : { withinMs };
    database.add(root, newRecord({ rawMeta: job, ...job }), how);
    return root;
  };
  const written = (root: string) => existsSync(join(folder, root));
  const long = 3_600_000;
  const patient = add('patient', long);
  const soon = add('soon');
  const brief = add('brief', 300);
  const hurried = add('hurried', long);
  // Whoever changes it next says when.
  database.edit(hurried)?.touch(['cmd'], 'y');
  await eventually(() => written(soon) && written(hurried));
  await eventually(() => written(brief));
  expect(written(patient)).toBe(false);
  await database.save();
  expect(written(patient)).toBe(true);
  const last = add('last', long);
  database.release(last);
  await eventually(() => written(last));
  const closed = add('closed', long);
  await database.close();
  expect(written(closed)).toBe(true);
});
