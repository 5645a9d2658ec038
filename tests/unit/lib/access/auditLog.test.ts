import {
  chmodSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openAudit } from '../../../../lib/access/auditLog.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const log = silentLogger();
const deed = {
  program: 'pman',
  action: 'run',
  caller: { name: 'me', from: ['10.0.0.1'] },
  status: 200,
} as const;

const linesOf = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('openAudit', () => {
  it('writes a line of JSON for what was done, in a file of this user alone', () => {
    const file = join(tempDir(), 'audit.log');
    const audit = openAudit({ file, maxBytes: 1_000_000, log });
    audit.write({ ...deed, jobs: ['r1'], jid: 'j\n1', auid: 'a' });
    audit.write({ ...deed, caller: { name: undefined, from: [] }, status: 500, error: 'internal' });
    audit.close();
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(linesOf(file)).toEqual([
      {
        ...{ time, program: 'pman', token: 'me', from: '10.0.0.1', action: 'run' },
        ...{ jobs: ['r1'], jid: 'j\n1', auid: 'a', status: 200 },
      },
      {
        time,
        program: 'pman',
        token: null,
        from: null,
        action: 'run',
        status: 500,
        error: 'internal',
      },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('puts full files aside, of which none can be read by others', () => {
    const folder = tempDir();
    const file = join(folder, 'audit.log');
    const audit = openAudit({ file, maxBytes: 2000, log });
    for (let i = 0; i < 100; i += 1) {
      audit.write({ ...deed, jid: String(i), path: 'x'.repeat(100) });
    }
    audit.close();
    const names = readdirSync(folder);
    expect(names.length).toBe(10);
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(2000);
    expect(linesOf(file).at(-1)).toMatchObject({ jid: '99' });
    const told = names.flatMap((name) => linesOf(join(folder, name)));
    expect(new Set(told.map((line) => Reflect.get(Object(line), 'jid'))).size).toBe(told.length);
  });

  it('goes on with the file of an earlier start, and closes it to others', () => {
    const file = join(tempDir(), 'audit.log');
    writeFileSync(file, '{"old":1}\n');
    chmodSync(file, 0o644);
    const audit = openAudit({ file, maxBytes: 1_000_000, log });
    audit.write(deed);
    audit.close();
    expect(linesOf(file)).toHaveLength(2);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('writes few of those who are not let in: they cannot push out what was done', () => {
    const file = join(tempDir(), 'audit.log');
    const audit = openAudit({ file, maxBytes: 1_000_000, log });
    for (let i = 0; i < 1000; i += 1)
      audit.refused({ ...deed, status: 401, error: 'unauthorized' });
    audit.close();
    expect(linesOf(file).length).toBeLessThan(100);
  });

  it('cuts long texts', () => {
    const file = join(tempDir(), 'audit.log');
    const audit = openAudit({ file, maxBytes: 1_000_000, log });
    const long = 'x'.repeat(100_000);
    const jobs = Array<string>(1000).fill('root');
    audit.write({ ...deed, action: long, jid: long, auid: long, path: long, jobs });
    audit.close();
    expect(statSync(file).size).toBeLessThan(3000);
    expect(linesOf(file)).toEqual([expect.objectContaining({ jobCount: 1000 })]);
  });

  it('refuses a link: somebody else may have put it there', () => {
    const folder = tempDir();
    writeFileSync(join(folder, 'other'), '');
    symlinkSync(join(folder, 'other'), join(folder, 'audit.log'));
    const open = () => openAudit({ file: join(folder, 'audit.log'), maxBytes: 1000, log });
    expect(open).toThrow('is no file of this user');
  });
});
