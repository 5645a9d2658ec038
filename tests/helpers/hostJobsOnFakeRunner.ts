import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { HostJobs } from '../../lib/jobs/host/hostJobs.ts';
import { SshHosts } from '../../lib/jobs/host/sshHosts.ts';
import { progressOf } from '../../lib/jobs/progress.ts';
import { silentLogger } from '../../lib/log.ts';
import { JobDatabase } from '../../lib/records/database.ts';
import type { JsonObject } from '../../lib/wire/json.ts';
import { FakeRunner } from './fakeRunner.ts';
import { summaryOf } from './records.ts';
import { tempDir } from './tempDir.ts';

/** Jobs of this host over a runner that only a test moves, on a database of their own for each test. */

const MAX_JOBS = 2;
export const KILL = { signal: 'SIGTERM', graceMs: 1000, cause: 'ended by a client' } as const;

/** What a test has: set anew before each. */
export const host = {} as {
  spool: string;
  database: JobDatabase;
  jobs: HostJobs;
  runner: FakeRunner;
};

/** A server's host jobs on the folders that there are. */
export function open(): void {
  const { database, spool } = host;
  host.jobs = new HostJobs({
    ...{ database, spool, maxJobs: MAX_JOBS, fsync: false, outputLimitBytes: 1000 },
    sshHosts: new SshHosts({ hosts: [], identity: undefined, knownHosts: undefined }),
    log: silentLogger(),
    connect: (options) => {
      host.runner = new FakeRunner(options);
      return host.runner;
    },
  });
}

beforeEach(() => {
  const folder = join(tempDir(), 'db');
  const workFolder = `${folder}.spool`;
  const shared = { fsync: false, summaryOf, log: silentLogger() };
  host.database = JobDatabase.open({ ...shared, folder, workFolder });
  host.spool = join(workFolder, 'jobs');
  mkdirSync(host.spool);
  open();
});

afterEach(async () => {
  host.jobs.close();
  await host.database.close();
});

export const jobOf = (cmd: string, rawMeta: JsonObject = {}) => ({
  ...{ cmd, auid: 'me', jid: cmd },
  rawMeta: { cmd, auid: 'me', jid: cmd, ...rawMeta },
  limits: {},
});
export const submit = (cmd = 'true', rawMeta: JsonObject = {}) =>
  host.jobs.submit(jobOf(cmd, rawMeta));
export const submitMany = async (count: number) => {
  const roots: string[] = [];
  for (let k = 0; k < count; k += 1) roots.push(await submit(`job ${k}`));
  return roots as [string, string, string, ...string[]];
};
export const folderOf = (root: string) => join(host.spool, root);
export const recordOf = (root: string) => {
  const tree = host.database.tree(root);
  if (tree === undefined) throw new Error(`there is no record of ${root}`);
  return { ...progressOf(tree), cause: tree.cat(['cause']) };
};
/** The jobs that the runner was asked to run, in order. */
export const handedOver = () =>
  host.runner.orders.filter((order) => order.startsWith('run ')).map((order) => order.slice(4));
