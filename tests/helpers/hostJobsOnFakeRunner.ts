import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { readAccepted } from '../../lib/jobs/host/acceptedJobs.ts';
import { HostJobs } from '../../lib/jobs/host/hostJobs.ts';
import { acceptedFolder } from '../../lib/jobs/host/hostSpool.ts';
import { SshHosts } from '../../lib/jobs/host/sshHosts.ts';
import { progressOf } from '../../lib/jobs/progress.ts';
import type { LimitMeta } from '../../lib/jobs/runLimits.ts';
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
export function open({ fsync = false }: { readonly fsync?: boolean } = {}): void {
  const { database, spool } = host;
  host.jobs = new HostJobs({
    ...{ database, spool, maxJobs: MAX_JOBS, fsync, outputLimitBytes: 1000 },
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

export const jobOf = (cmd: string, rawMeta: JsonObject = {}, limits: LimitMeta = {}) => ({
  ...{ cmd, auid: 'me', jid: cmd },
  rawMeta: { cmd, auid: 'me', jid: cmd, ...rawMeta },
  limits,
});
export const submit = async (cmd = 'true', rawMeta: JsonObject = {}, limits: LimitMeta = {}) =>
  host.jobs.submit(jobOf(cmd, rawMeta, limits));
export const submitMany = async (count: number) => {
  const roots: string[] = [];
  for (let k = 0; k < count; k += 1) roots.push(await submit(`job ${k}`));
  return roots as [string, string, string, ...string[]];
};
/** The jobs that are written down and have not begun, with what is known of them. */
export const acceptedJobs = () => {
  const folder = acceptedFolder(host.spool);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return new Map(
    names.flatMap((name) => [...readAccepted(readFileSync(join(folder, name), 'utf8')).jobs]),
  );
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
