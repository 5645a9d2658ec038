import { join } from 'node:path';
import { NO_AUDIT, openAudit } from '../access/auditLog.ts';
import { ANYBODY } from '../access/caller.ts';
import { OPEN_DOOR, TokenStore } from '../access/tokenStore.ts';
import type { FileioEndpoint, QuitOptions, Services } from '../actions/action.ts';
import { whenThere } from '../concurrency/soon.ts';
import type { PmanConfig } from '../config/pman.ts';
import { plainDialect } from '../dialects/envelope/statusAnswer.ts';
import { watchDirectiveFile } from '../fileio/directiveFile.ts';
import type { EndpointOptions } from '../fileio/endpoint.ts';
import { workPeriodically } from '../fileio/periodicWork.ts';
import { type Gateway, openGateway } from '../gateway/index.ts';
import type { RequestHandler } from '../gateway/types.ts';
import { firstAddress } from '../host/address.ts';
import { rememberMissing } from '../host/madeFolders.ts';
import { rightsUnder } from '../host/rights.ts';
import { SpentMemory } from '../host/spentMemory.ts';
import { TlsFiles } from '../host/tlsFiles.ts';
import { ENDED_WITH_PMAN } from '../jobs/causeWords.ts';
import type { ReadShown } from '../jobs/container/engine.ts';
import { acceptedFolder } from '../jobs/host/hostSpool.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { removeOld } from '../jobs/retention.ts';
import type { Logger } from '../log.ts';
import { exposition } from '../metrics/exposition.ts';
import { addGauges } from '../metrics/gauges.ts';
import { JobMeter } from '../metrics/jobMeter.ts';
import { Meter } from '../metrics/meter.ts';
import { claimFolders } from '../records/claim.ts';
import { exportsFolderOf, workFolderOf } from '../records/folder.ts';
import { lockDatabase } from '../records/lock.ts';
import { openWebhooks } from '../webhooks/openWebhooks.ts';
import type { PagePolicy } from '../wire/foreignPage.ts';
import { makeAdmission } from './admission.ts';
import { dispatch } from './dispatch.ts';
import { frontRefusal } from './frontRefusal.ts';
import { makeHandler } from './handler.ts';
import { limitsIn } from './limitsIn.ts';
import { Listeners } from './listeners.ts';
import { type ContainerJobsPlace, openJobs } from './openJobs.ts';
import { readiness } from './readiness.ts';
import { warmUp } from './warmUp.ts';

export interface ServerOptions {
  readonly config: PmanConfig;
  readonly log: Logger;
  /** Opens a pfioh beside pman. */
  readonly openFileio: (options: EndpointOptions) => Promise<FileioEndpoint>;
  /** Where jobs with a container go, as --container-env says. */
  readonly containerJobs: ContainerJobsPlace;
  /** Reads how a container job has ended from what its record shows. */
  readonly readShown: ReadShown;
  /** The variables that jobs inherit; undefined: those of this process. */
  readonly jobEnv?: NodeJS.ProcessEnv | undefined;
  /** A client has asked the server to quit. */
  readonly onQuit: (options: QuitOptions) => void;
}

export interface PmanServer {
  readonly gateway: Gateway;
  /** Stops serving, saves the database, frees the port. Jobs go on, unless they are to be ended first. */
  close(options?: QuitOptions): Promise<void>;
}

/** What the records of jobs say that are ended with pman. */
const END_WITH_PMAN = { signal: 'SIGTERM', cause: ENDED_WITH_PMAN } as const;

/**
 * Puts pman together and opens its port.
 * @throws PmanError when the database cannot be opened or the port is taken; UsageError when there are no tokens or no such ssh hosts
 */
export async function startServer(options: ServerOptions): Promise<PmanServer> {
  const { config, log } = options;
  const workFolder = workFolderOf(config.dbPath);
  const inside = (name: string) => join(workFolder, name);
  const removeMade = rememberMissing({
    folders: [
      ...[config.dbPath, workFolder],
      ...['jobs', 'accepted', 'containers', 'drafts', 'unreadable'].map(inside),
    ],
    files: ['instance', 'index.jsonl', 'webhooks.jsonl'].map(inside),
  });
  const releases: Array<() => void | Promise<void>> = [];
  let isDraining = false;
  const close = async () => {
    for (let release = releases.pop(); release; release = releases.pop()) await release();
  };
  try {
    const { gateway, jobs, recorded } = await open(options, releases, () => isDraining);
    log.info('started', {
      ...{ endpoint: gateway.endpoint, database: config.dbPath },
      jobs: { recorded, ...jobs.counts },
      limitedBy: { ...jobs.enforcers },
    });
    return {
      gateway,
      close: async ({ endJobs = config.jobsAtExit === 'end' } = {}) => {
        isDraining = true;
        const { running, waiting } = jobs.counts;
        if (running + waiting > 0) {
          log.info(endJobs ? 'jobs are being ended' : 'jobs go on without pman', {
            running,
            waiting,
          });
        }
        if (endJobs) await jobs.endAll({ ...END_WITH_PMAN, graceMs: config.killGraceMs });
        await close();
      },
    };
  } catch (error) {
    await close();
    removeMade();
    throw error;
  }
}

async function open(
  { config, log, openFileio, containerJobs, readShown, jobEnv, onQuit }: ServerOptions,
  releases: Array<() => void | Promise<void>>,
  isDraining: () => boolean,
): Promise<{ readonly gateway: Gateway; readonly jobs: Jobs; readonly recorded: number }> {
  const startedAtMs = Date.now();
  // pman 2.2.4 looks for this file when --tokenPath is empty (protocol e).
  const tokenPath =
    config.tokenPath === undefined ? undefined : config.tokenPath || 'socket_config.cfg';
  const door = tokenPath === undefined ? OPEN_DOOR : TokenStore.open(tokenPath, log);
  releases.push(() => door.close());
  const { auditLog } = config;
  const audit = auditLog === undefined ? NO_AUDIT : openAudit({ ...auditLog, log });
  releases.push(() => audit.close());
  const workFolder = workFolderOf(config.dbPath);
  const spool = join(workFolder, 'jobs');
  const rights = rightsUnder(config.umask);
  claimFolders({ folder: config.dbPath, rights, work: [workFolder, spool, acceptedFolder(spool)] });
  const lock = await lockDatabase(config.dbPath, workFolder, rights.folder);
  releases.push(() => lock.release());
  const spent = new SpentMemory();
  spent.worked(); // the start is work, too
  releases.push(() => spent.close());
  const meter = new Meter(() => spent.worked());
  releases.push(() => meter.loopLag.close());
  const opened = await openJobs(
    { config, workFolder, spool, rights, containerJobs, readShown, meter, jobEnv, log },
    releases,
  );
  const { database, jobs, events, changes, growth, lines, closeOrphans } = opened;
  const webhooks = openWebhooks(
    {
      ...{ database, events, workFolder, settings: config.notify },
      viewOf: (record) => jobs.view(record),
      onTry: (result) => {
        if (result === 'given_up') meter.webhooksGivenUp.inc();
        else meter.webhookTries.inc({ result });
      },
      log: log.child({ component: 'webhooks' }),
    },
    releases,
  );
  const listeners = new Listeners(config.listeners);
  const jobMeter = new JobMeter({
    ...{ meter, events, log, after: opened.eventsBefore },
    view: (root) => {
      const record = database.tree(root);
      return record && jobs.view(record);
    },
    active: () => database.unfinished().filter((root) => jobs.isActive(root)),
  });
  releases.push(() => jobMeter.close());
  addGauges(meter, { database, events, webhooks, listeners, log });

  const services: Services = {
    database,
    jobs,
    startedAtMs,
    ...{ events, changes, growth, lines },
    webhooks,
    jobAccepted: (seconds) => meter.jobAcceptance.observe(seconds),
    closeOrphans,
    log,
    dialect: containerJobs.kind === 'engine' ? containerJobs.dialect : plainDialect,
    settings: {
      exportPath: config.exportPath ?? exportsFolderOf(workFolder),
      isShareMapped: config.storeBase !== undefined,
      killGraceMs: config.killGraceMs,
      limits: limitsIn(config),
    },
    openFileio: async (how) => {
      const { ip, tls, allowOrigins, allowHosts } = config;
      const front = { tls, allowOrigins, allowHosts };
      const endpoint = await openFileio({ ...how, ip, tokenPath, front, log, audit });
      // "All addresses" is none that a client can go to.
      const isEvery = endpoint.ip === '0.0.0.0' || endpoint.ip === '::';
      return isEvery ? { ...endpoint, ip: firstAddress() } : endpoint;
    },
    shutDown: onQuit,
  };
  const entrance = {
    ...{ door, audit, httpMode: config.httpMode },
    pages: pagePolicy(config, tokenPath !== undefined),
  };
  const tls = config.tls && new TlsFiles(config.tls, log.child({ component: 'tls' }));
  if (tls !== undefined) releases.push(() => tls.close());
  const gateway = await openGateway(
    {
      ip: config.ip,
      tls,
      port: config.port,
      protocol: config.protocol,
      rawmode: config.rawmode,
      limits: { maxBodyBytes: config.maxBodyBytes },
      log: log.child({ component: 'gateway' }),
      refusal: frontRefusal,
      admit: makeAdmission(entrance),
      tellsAddresses: tokenPath !== undefined || auditLog !== undefined,
    },
    countAnswers(
      makeHandler({
        ...{ ...entrance, services, listeners },
        metrics: (accept) => exposition(meter.registry, accept),
        isReady: readiness({ database, host: opened.host, isDraining }),
      }),
      meter,
    ),
  );
  releases.push(() => gateway.close());

  const retain = () => removeOld({ database, jobs, log }, config.retention);
  void retain();
  const regular = workPeriodically(
    [() => database.save(), retain, () => events.prune()],
    config.dbSavePeriodMs,
  );
  releases.push(() => regular.close());
  const directive = watchDirectiveFile({
    file: config.directiveFile,
    owner: config.dbPath,
    obey: async (command) => (await dispatch(services, command, { caller: ANYBODY })).after,
    after: opened.allKnown, // whoever left the file is not there to try again
    log: log.child({ component: 'directive' }),
  });
  releases.push(() => directive.close());
  const warming = warmUp({ database, jobs, after: opened.allKnown, log });
  releases.push(() => warming.close());
  return { gateway, jobs, recorded: database.roots().length };
}

/** A page that sends a token has it from somebody who knows it: with `--http` every one may ask. */
function pagePolicy(
  { httpMode, allowOrigins, allowHosts, tls }: PmanConfig,
  hasTokens: boolean,
): PagePolicy {
  return {
    allowOrigins: httpMode && hasTokens ? 'every' : allowOrigins,
    allowHosts,
    hasTokens,
    hasTls: tls !== undefined,
  };
}

/** The verbs that have a label of their own: a client may send any. */
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
]);

function countAnswers(handler: RequestHandler, meter: Meter): RequestHandler {
  return (request) =>
    whenThere(handler(request), (reply) => {
      const method = KNOWN_METHODS.has(request.method) ? request.method : 'other';
      meter.answered(method, reply.status);
      return reply;
    });
}
