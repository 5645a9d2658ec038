import type { Pace } from '../concurrency/turns.ts';
import type { PmanConfig } from '../config/pman.ts';
import type { EnvelopeDialect } from '../dialects/envelope/dialect.ts';
import { messageOf, UsageError } from '../errors.ts';
import type { EventLog } from '../events/eventLog.ts';
import { type JobChanges, namesIn } from '../events/jobChanges.ts';
import { openEvents } from '../events/openEvents.ts';
import { OutputGrowth } from '../events/outputGrowth.ts';
import { findGroupPlace } from '../host/controlGroups.ts';
import type { Rights } from '../host/rights.ts';
import { findUser } from '../host/users.ts';
import type { EngineName } from '../jobs/capabilities.ts';
import { ContainerJobs } from '../jobs/container/containerJobs.ts';
import type { OpenEngine, ReadShown, ShareRule } from '../jobs/container/engine.ts';
import { jobViewer } from '../jobs/container/jobViewer.ts';
import { progressReader } from '../jobs/container/progressReader.ts';
import { RecordedJobs } from '../jobs/container/recordedJobs.ts';
import { enforcersOf } from '../jobs/enforcers.ts';
import { HostJobs } from '../jobs/host/hostJobs.ts';
import { SshHosts } from '../jobs/host/sshHosts.ts';
import { Jobs } from '../jobs/jobs.ts';
import { summarizer } from '../jobs/summary.ts';
import { OutputLines } from '../lines/outputLines.ts';
import type { Logger } from '../log.ts';
import type { Meter } from '../metrics/meter.ts';
import { meteredEngine } from '../metrics/meteredEngine.ts';
import { JobDatabase } from '../records/database.ts';
import { ACTIVE } from '../records/index/jobIndex.ts';

/** Where jobs with a container go: to an engine, or on this host like any other job. */
export type ContainerJobsPlace =
  | {
      readonly kind: 'engine';
      readonly name: EngineName;
      readonly open: OpenEngine;
      readonly shareRule: ShareRule;
      readonly dialect: EnvelopeDialect;
    }
  | { readonly kind: 'host' };

export interface OpenJobsOptions {
  readonly config: PmanConfig;
  /** The folder of ours beside the database. */
  readonly workFolder: string;
  /** The folder of the spool folders of this host's jobs. */
  readonly spool: string;
  /** Who may read what pman writes. */
  readonly rights: Rights;
  readonly containerJobs: ContainerJobsPlace;
  readonly readShown: ReadShown;
  readonly meter: Meter;
  /** The variables that jobs inherit; undefined: those of this process. */
  readonly jobEnv?: NodeJS.ProcessEnv | undefined;
  readonly log: Logger;
}

export interface OpenedJobs {
  readonly database: JobDatabase;
  readonly jobs: Jobs;
  readonly events: EventLog;
  readonly changes: JobChanges;
  /** How outputs grow. */
  readonly growth: OutputGrowth;
  readonly lines: OutputLines;
  /** The events behind this number were written by this process. */
  readonly eventsBefore: number;
  /** What runs the jobs of this host. */
  readonly host: HostJobs;
  /** Closes the records of jobs that nobody runs any more. */
  readonly closeOrphans: (pace?: Pace) => Promise<void>;
  /** Resolves when the jobs of all records are taken up; undefined when they are. */
  readonly allKnown: Promise<void> | undefined;
}

/** How long the database may take to be saved when pman ends; the spool has the rest, in milliseconds. */
const CLOSE_LIMIT_MS = 250;
/** How much of each output a record holds, in bytes. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Opens the database, and goes on with the jobs that an earlier server has left.
 * @param releases is given what ends all this, to be called in reverse
 * @throws PmanError when the database cannot be opened; UsageError when there are no such ssh hosts
 */
export async function openJobs(
  {
    config,
    workFolder,
    spool,
    rights,
    containerJobs,
    readShown,
    meter,
    jobEnv,
    log,
  }: OpenJobsOptions,
  releases: Array<() => void | Promise<void>>,
): Promise<OpenedJobs> {
  const sshHosts = new SshHosts(config.ssh);
  const progressOf = progressReader(readShown);
  const viewOf = jobViewer(readShown);
  const summaryOf = summarizer(viewOf);
  const { fsync } = config;
  const database = JobDatabase.open({
    ...{ folder: config.dbPath, workFolder, fsync, summaryOf, rights },
    log: log.child({ component: 'database' }),
  });
  releases.push(() => database.close(CLOSE_LIMIT_MS));

  let opened: Jobs | undefined;
  const placeOf = (root: string) => opened?.place(root);
  const events = openEvents(
    { database, viewOf, placeOf, workFolder, kept: config.keptEvents, log },
    releases,
  );
  const eventsBefore = events.log.newest;

  const { controlGroups } = config.jobs;
  const place = controlGroups === 'never' ? undefined : findGroupPlace();
  const jobGroups = place && { place, forAll: controlGroups === 'always' };
  const enforcers = enforcersOf(place);
  if (controlGroups === 'always' && place === undefined) {
    log.warn('there are no control groups that pman may write: jobs have none');
  }
  const limits = jobLimits(config);
  const host = new HostJobs({
    ...{ database, spool, sshHosts, fsync },
    maxJobs: config.maxJobs,
    runsImages: containerJobs.kind === 'host',
    outputLimitBytes: OUTPUT_LIMIT_BYTES,
    limits,
    meter: {
      ended: (bytes) => meter.outputBytes.inc(bytes),
      runnerLost: () => meter.runnerRestarts.inc(),
    },
    env: jobEnv,
    jobGroups,
    log: log.child({ component: 'jobs' }),
  });
  releases.push(() => host.close());
  await host.recover();

  const containers =
    containerJobs.kind === 'engine'
      ? new ContainerJobs({
          ...{ database, summaryOf, workFolder, fsync, readShown },
          engineName: containerJobs.name,
          openEngine: async (instance) => meteredEngine(await containerJobs.open(instance), meter),
          shareRule: containerJobs.shareRule,
          // What jobs of this host may not read is not to be had by way of a container, either.
          fileOwner: limits.user?.uid,
          logLimitBytes: OUTPUT_LIMIT_BYTES,
          log: log.child({ component: 'containers' }),
        })
      : undefined;
  if (containers) releases.push(() => containers.close());
  containers?.recover();

  const lookAgain = async () => {
    await database.indexed;
    if (database.indexing !== undefined) return; // the server has been closed meanwhile
    containers?.recoverMore();
    await host.closeOrphans();
  };
  const allKnown =
    database.indexing &&
    lookAgain().catch((error: unknown) => {
      log.error('old records cannot be taken up', { reason: messageOf(error) });
    });
  const jobs = new Jobs({
    ...{ database, progressOf, viewOf, host, enforcers },
    containers: containers ?? new RecordedJobs(readShown),
    containerJobs: containerJobs.kind === 'engine' ? 'containers' : 'host',
  });
  opened = jobs;
  const growth = new OutputGrowth({ look: () => outputsOf(database, jobs) });
  releases.push(() => growth.close());
  const lines = new OutputLines();
  releases.push(() => lines.close());
  events.changes.settle((root) => jobs.isActive(root));
  const { log: eventLog, changes } = events;
  return {
    ...{ database, jobs, events: eventLog, changes, growth, lines, allKnown, eventsBefore },
    host,
    closeOrphans: (pace) => host.closeOrphans(pace),
  };
}

/** What the jobs that run have written. */
function* outputsOf(database: JobDatabase, jobs: Jobs) {
  if (database.indexing !== undefined) return;
  for (const root of database.in('state', ACTIVE)) {
    const record = database.tree(root);
    const sizes = record && jobs.outputSizes(root, record);
    if (sizes) yield { root, sizes, names: namesIn(database.summary(root) ?? {}) };
  }
}

/** @throws UsageError when jobs cannot run as the user that was named */
function jobLimits({ jobs }: PmanConfig) {
  const { user, maxOutputBytes, maxProcesses, memoryBytes, cpus } = jobs;
  if (user !== undefined && process.geteuid?.() !== 0) {
    throw new UsageError('--jobUser: only root can run jobs as another user', {
      hint: 'start pman as root, or leave --jobUser out: jobs then run as the user of pman',
    });
  }
  return {
    ...(user === undefined ? {} : { user: findUser(user) }),
    ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
    ...(maxProcesses === undefined ? {} : { maxProcesses }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
  };
}
