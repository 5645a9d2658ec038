import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { partFiles } from '../../crunner/detached/spool.ts';
import type { Services } from '../../lib/actions/action.ts';
import { plainDialect } from '../../lib/dialects/envelope/statusAnswer.ts';
import { EventLog } from '../../lib/events/eventLog.ts';
import { OutputGrowth } from '../../lib/events/outputGrowth.ts';
import { jobViewer } from '../../lib/jobs/container/jobViewer.ts';
import { RecordedJobs } from '../../lib/jobs/container/recordedJobs.ts';
import { enforcersOf } from '../../lib/jobs/enforcers.ts';
import { HostJobs } from '../../lib/jobs/host/hostJobs.ts';
import { HostOutputs } from '../../lib/jobs/host/hostOutputs.ts';
import { SshHosts } from '../../lib/jobs/host/sshHosts.ts';
import { Jobs } from '../../lib/jobs/jobs.ts';
import { OutputLines } from '../../lib/lines/outputLines.ts';
import { silentLogger } from '../../lib/log.ts';
import { JobDatabase } from '../../lib/records/database.ts';
import { newJobRoot } from '../../lib/records/jobRoot.ts';
import { newRecord, recordDone, recordEnd, recordStart } from '../../lib/records/record.ts';
import { openWebhooks } from '../../lib/webhooks/openWebhooks.ts';
import { readShown } from '../../swarm/service/shownTask.ts';
import { progressOf, summaryOf } from './records.ts';
import { tempDir } from './tempDir.ts';

export interface TestServices {
  readonly services: Services;
  readonly outputs: HostOutputs;
  /** The file that holds the output of a part. */
  outputFile(root: string, part: number, stream: 'stdout' | 'stderr'): string;
  /** The folder that holds everything, the database in `db`. */
  readonly top: string;
  /** How often a request has asked the server to end. */
  readonly quits: () => number;
  /** Adds a job that has ended, without running anything; gives its root. */
  addEnded(jid: string, auid: string, returncode: number, epochMs?: number): string;
  close(): Promise<void>;
}

/** What actions work on, on folders of its own; no process is started for as long as no job is run. */
export function openServices(): TestServices {
  const top = tempDir();
  const log = silentLogger();
  const folder = join(top, 'db');
  const database = JobDatabase.open({
    ...{ folder, workFolder: `${folder}.spool`, fsync: false },
    ...{ summaryOf, log },
  });
  const spool = join(`${folder}.spool`, 'jobs');
  mkdirSync(spool);
  const host = new HostJobs({
    database,
    spool,
    maxJobs: 4,
    fsync: false,
    outputLimitBytes: 1000,
    sshHosts: new SshHosts({ hosts: [], identity: undefined, knownHosts: undefined }),
    log,
  });
  const jobs = new Jobs({
    ...{ database, progressOf, host, containerJobs: 'host' },
    enforcers: enforcersOf(undefined),
    viewOf: jobViewer(readShown),
    containers: new RecordedJobs(readShown),
  });
  const events = new EventLog({ folder: join(`${folder}.spool`, 'events') });
  let quits = 0;
  const services: Services = {
    database,
    jobs,
    changes: { killOrdered: () => undefined },
    startedAtMs: Date.now(),
    growth: new OutputGrowth({ look: () => [] }),
    lines: new OutputLines(),
    events,
    webhooks: openWebhooks(
      {
        ...{ database, events, workFolder: `${folder}.spool`, onTry: () => undefined, log },
        settings: { hosts: [], file: undefined, retrySeconds: [] },
        viewOf: jobViewer(readShown),
      },
      [],
    ),
    closeOrphans: (pace) => host.closeOrphans(pace),
    log,
    dialect: plainDialect,
    settings: {
      ...{ exportPath: join(top, 'export'), isShareMapped: false, killGraceMs: 1000 },
      limits: {
        ...{ jobsAtOnce: 256, bodyBytes: 1024, graceSeconds: 1 },
        job: { memoryBytes: null, cpus: null, processes: null, outputBytes: null },
        kept: { seconds: null, jobs: null, bytes: null },
      },
    },
    openFileio: async () => ({
      ...{ ip: '127.0.0.1', port: 5055, scheme: 'http' as const, folder: '/nowhere' },
    }),
    shutDown: () => {
      quits += 1;
    },
  };
  return {
    services,
    top,
    quits: () => quits,
    outputs: new HostOutputs({ spool, outputLimitBytes: 1000 }),
    outputFile: (root, part, stream) =>
      partFiles(join(spool, root), part)[stream === 'stdout' ? 'out' : 'err'],
    addEnded(jid, auid, returncode, epochMs = Date.now()) {
      const root = newJobRoot(epochMs);
      const cmd = `exit ${returncode}`;
      database.add(root, newRecord({ rawMeta: { cmd, auid, jid }, cmd, auid, jid }));
      const record = database.edit(root);
      if (record === undefined) throw new Error('the job was not taken in');
      recordStart(record, 0, { cmd, pid: 1, startedAt: 0, host: {} });
      recordEnd(record, 0, { endedAt: 1, returncode, stdout: 'out\n', stderr: 'err\n' });
      recordDone(record, 1);
      database.release(root);
      return root;
    },
    async close() {
      host.close();
      await database.close();
    },
  };
}
