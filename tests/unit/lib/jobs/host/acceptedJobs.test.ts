import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AcceptedJobs, readAccepted } from '../../../../../lib/jobs/host/acceptedJobs.ts';
import { loggerOver } from '../../../../../lib/log.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

let folder: string;
let warnings: string[];

beforeEach(() => {
  folder = join(tempDir(), 'accepted');
  warnings = [];
});

const open = (more: { readonly fsync?: boolean; readonly fileBytes?: number } = {}) => {
  const say = () => undefined;
  const warn = (message: string) => void warnings.push(message);
  const log = loggerOver({ debug: say, info: say, warn, error: warn });
  return new AcceptedJobs({ folder, fsync: false, log, ...more });
};
const newRoot = () => newJobRoot(Date.now());
const request = (cmd: string) => ({ parts: [cmd], owner: { job: { cmd } } });
const files = () => readdirSync(folder).sort();

describe('accepted jobs', () => {
  it('are found by the next server in the order in which they came, those that left are not', () => {
    const roots = [newRoot(), newRoot(), newRoot()] as const;
    const first = open();
    for (const [k, root] of roots.entries()) void first.add(root, request(`job ${k}`));
    first.leave(roots[1]);
    first.drop(roots[2], 'ended before it started');
    expect(roots.map((root) => first.has(root))).toEqual([true, false, true]);
    const next = open();
    expect([...next.find()]).toEqual([
      [roots[0], { request: request('job 0') }],
      [roots[2], { request: request('job 2'), dropped: 'ended before it started' }],
    ]);
    next.leave(roots[0]);
    next.leave(roots[2]);
    expect([...open().find()]).toEqual([]);
  });

  it('are with the disk once what is asked for resolves', async () => {
    const jobs = open({ fsync: true });
    const roots = Array.from({ length: 50 }, newRoot);
    await Promise.all(roots.map(async (root) => jobs.add(root, request('true'))));
    expect([...open().find().keys()]).toEqual(roots);
    jobs.close();
  });

  it('take no file for ever: one that all have left goes, or is emptied', () => {
    const jobs = open({ fileBytes: 1000 });
    const roots = Array.from({ length: 100 }, newRoot);
    for (const root of roots) void jobs.add(root, request('x'.repeat(200)));
    const most = files().length;
    expect(most).toBeGreaterThan(10);
    for (const root of roots.slice(0, 50)) jobs.leave(root);
    expect(files().length).toBeLessThan(most);
    for (const root of roots.slice(50)) jobs.leave(root);
    expect(files().length).toBeLessThanOrEqual(1);
    jobs.close();
    expect(files()).toEqual([]);
  });

  it('empty the file that they go on with, however many come and go', () => {
    const jobs = open();
    for (let k = 0; k < 2000; k += 1) {
      const root = newRoot();
      void jobs.add(root, request('x'.repeat(200)));
      jobs.leave(root);
    }
    const [name = ''] = files();
    expect(readFileSync(join(folder, name)).length).toBeLessThan(70_000);
    jobs.close();
  });

  it('stay in a file that holds other lines or half a line, and nothing is added to that half', () => {
    const [a, b] = [newRoot(), newRoot()];
    const first = open();
    void first.add(a, request('a'));
    const [name = ''] = files();
    appendFileSync(join(folder, name), `garbled\n{"job":"${b}"}\n`);
    void first.add(b, request('b'));
    appendFileSync(join(folder, name), '{"job":"half');
    const next = open();
    expect([...next.find().keys()]).toEqual([a, b]);
    expect(warnings).toEqual(['lines of accepted jobs are damaged']);
    next.leave(a);
    expect([...open().find().keys()]).toEqual([b]);
  });

  it('of a file that cannot be read are reported, and the others are found', () => {
    const root = newRoot();
    mkdirSync(join(folder, '00000001.jsonl'), { recursive: true });
    writeFileSync(
      join(folder, '00000002.jsonl'),
      `${JSON.stringify({ job: root, request: request('true') })}\n`,
    );
    const jobs = open();
    expect([...jobs.find().keys()]).toEqual([root]);
    expect(warnings).toEqual(['accepted jobs cannot be read']);
    void jobs.add(newRoot(), request('later'));
    expect(files()).toContain('00000003.jsonl');
    jobs.close();
  });

  it('are not here when the disk refuses them', () => {
    writeFileSync(folder, '');
    const jobs = open();
    const root = newRoot();
    expect(() => jobs.add(root, request('true'))).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    );
    expect(jobs.has(root)).toBe(false);
  });
});

describe('readAccepted', () => {
  it('takes whatever a file may hold', () => {
    const line = fc.oneof(fc.json(), fc.string(), fc.constant(`{"job":"${newRoot()}","left":1}`));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const root = newRoot();
        const text = `${lines.map((one) => one.replaceAll('\n', ' ')).join('\n')}\n`;
        const own = JSON.stringify({ job: root, request: request('true') });
        const { jobs } = readAccepted(`${text}${own}\n`);
        expect(jobs.get(root)).toEqual({ request: request('true') });
      }),
    );
  });
});
