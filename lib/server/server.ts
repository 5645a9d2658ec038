import { join } from 'node:path';
import type { FileioEndpoint, QuitOptions, Services } from '../actions/action.ts';
import type { PmanConfig } from '../config/pman.ts';
import { type ErrorCode, messageOf, PmanError } from '../errors.ts';
import { watchDirectiveFile } from '../fileio/directiveFile.ts';
import type { EndpointOptions } from '../fileio/endpoint.ts';
import { workPeriodically } from '../fileio/periodicWork.ts';
import { type Gateway, openGateway } from '../gateway/index.ts';
import { makeFolder } from '../host/folders.ts';
import { ContainerJobs } from '../jobs/container/containerJobs.ts';
import type { ContainerJobsOptions } from '../jobs/container/ledger.ts';
import { HostJobs } from '../jobs/host/hostJobs.ts';
import { SshHosts } from '../jobs/host/sshHosts.ts';
import { removeOld } from '../jobs/retention.ts';
import type { Logger } from '../log.ts';
import { JobDatabase } from '../records/database.ts';
import { workFolderOf } from '../records/folder.ts';
import { lockFolder } from '../records/lock.ts';
import { readTokens } from '../tokens.ts';
import type { PagePolicy } from '../wire/foreignPage.ts';
import { dumps } from '../wire/pythonJson.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';
import { makeAdmission } from './admission.ts';
import { makeAuthenticator } from './auth.ts';
import { dispatch } from './dispatch.ts';
import { makeHandler } from './handler.ts';
import { Listeners } from './listeners.ts';

export interface ServerOptions {
  readonly config: PmanConfig;
  readonly log: Logger;
  /** Opens a pfioh beside pman. */
  readonly openFileio: (options: EndpointOptions) => Promise<FileioEndpoint>;
  /** Opens the container engine that --container-env means. */
  readonly openEngine: ContainerJobsOptions['openEngine'];
  /** A client has asked the server to quit. */
  readonly onQuit: (options: QuitOptions) => void;
}

export interface PmanServer {
  readonly gateway: Gateway;
  /** Stops serving, saves the database, frees the port. Jobs go on, unless they are to be ended first. */
  close(options?: QuitOptions): Promise<void>;
}

/** How long the database may take to be saved when pman ends; the spool has the rest, in milliseconds. */
const CLOSE_LIMIT_MS = 250;
/** Anything else is this host too, as in the original, but may be a mistake. */
const KNOWN_ENVIRONMENTS: ReadonlySet<string> = new Set(['swarm', 'openshift', 'docker', 'host']);
/** What the records of jobs say that are ended with pman. */
const END_WITH_PMAN = { signal: 'SIGTERM', cause: 'ended with pman' } as const;
/** How much of each output a record holds, in bytes. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Puts pman together and opens its port.
 * @throws PmanError when the database cannot be opened or the port is taken; UsageError when there are no tokens or no such ssh hosts
 */
export async function startServer(options: ServerOptions): Promise<PmanServer> {
  const { config, log } = options;
  const releases: Array<() => void | Promise<void>> = [];
  const close = async () => {
    for (let release = releases.pop(); release; release = releases.pop()) await release();
  };
  try {
    const { gateway, jobs } = await open(options, releases);
    if (!KNOWN_ENVIRONMENTS.has(config.containerEnv)) {
      const { containerEnv } = config;
      log.warn('--container-env names no engine: jobs with a container run on this host', {
        containerEnv,
      });
    }
    log.debug('started', { endpoint: gateway.endpoint, database: config.dbPath });
    return {
      gateway,
      close: async ({ endJobs = config.jobsAtExit === 'end' } = {}) => {
        if (endJobs) await jobs.endAll({ ...END_WITH_PMAN, graceMs: config.killGraceMs });
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { config, log, openFileio, openEngine, onQuit }: ServerOptions,
  releases: Array<() => void | Promise<void>>,
): Promise<{ readonly gateway: Gateway; readonly jobs: HostJobs }> {
  // pman 2.2.4 looks for this file when --tokenPath is empty (protocol e).
  const tokens =
    config.tokenPath === undefined ? undefined : readTokens(config.tokenPath, 'socket_config.cfg');
  const sshHosts = new SshHosts(config.ssh);
  const workFolder = workFolderOf(config.dbPath);
  makeWorkFolder(workFolder);
  const lock = await lockFolder(workFolder);
  releases.push(() => lock.release());
  const database = JobDatabase.open({
    folder: config.dbPath,
    workFolder,
    fsync: config.fsync,
    log: log.child({ component: 'database' }),
  });
  releases.push(() => database.close(CLOSE_LIMIT_MS));

  const spool = join(workFolder, 'jobs');
  makeFolder(spool);
  const jobs = new HostJobs({
    database,
    spool,
    maxJobs: config.maxJobs,
    fsync: config.fsync,
    outputLimitBytes: OUTPUT_LIMIT_BYTES,
    log: log.child({ component: 'jobs' }),
  });
  releases.push(() => jobs.close());
  await jobs.recover();

  const containers = hasContainers(config)
    ? new ContainerJobs({
        ...{ database, workFolder, openEngine },
        ...{ fsync: config.fsync, manager: config.manager, storeBase: config.storeBase },
        logLimitBytes: OUTPUT_LIMIT_BYTES,
        log: log.child({ component: 'containers' }),
      })
    : undefined;
  if (containers) releases.push(() => containers.close());
  containers?.recover();
  const lookAgain = async () => {
    await database.indexed;
    if (database.indexing !== undefined) return; // the server has been closed meanwhile
    jobs.closeOrphans();
    containers?.recoverMore();
  };
  const allKnown =
    database.indexing &&
    lookAgain().catch((error: unknown) => {
      log.error('old records cannot be taken up', { reason: messageOf(error) });
    });

  const services: Services = {
    database,
    jobs,
    containers,
    sshHosts,
    log,
    settings: {
      containerEnv: config.containerEnv,
      exportPath: config.exportPath,
      killGraceMs: config.killGraceMs,
    },
    openFileio: ({ forever }) => openFileio({ ip: config.ip, tokens, forever, log }),
    shutDown: onQuit,
  };
  const door = {
    authenticator: makeAuthenticator(tokens),
    httpMode: config.httpMode,
    pages: pagePolicy(config, tokens !== undefined),
  };
  const gateway = await openGateway(
    {
      ip: config.ip,
      port: config.port,
      protocol: config.protocol,
      rawmode: config.rawmode,
      limits: { maxBodyBytes: config.maxBodyBytes },
      log: log.child({ component: 'gateway' }),
      refusal,
      admit: makeAdmission(door),
    },
    makeHandler({ ...door, services, listeners: new Listeners(config.listeners) }),
  );
  releases.push(() => gateway.close());

  const retain = () => removeOld({ database, jobs, log }, config.retention);
  retain();
  const regular = workPeriodically([() => database.save(), retain], config.dbSavePeriodMs);
  releases.push(() => regular.close());
  const directive = watchDirectiveFile({
    file: config.directiveFile,
    owner: config.dbPath,
    obey: async (command) => (await dispatch(services, command)).after,
    after: allKnown, // whoever left the file is not there to try again
    log: log.child({ component: 'directive' }),
  });
  releases.push(() => directive.close());
  return { gateway, jobs };
}

/** A page that sends a token has it from somebody who knows it: with `--http` every one may ask. */
function pagePolicy({ httpMode, allowOrigins, allowHosts }: PmanConfig, hasTokens: boolean) {
  const policy: PagePolicy = {
    allowOrigins: httpMode && hasTokens ? 'every' : allowOrigins,
    allowHosts,
    hasTokens,
  };
  return policy;
}

function makeWorkFolder(folder: string): void {
  try {
    makeFolder(folder, 0o700);
  } catch (error) {
    throw new PmanError('storage', `cannot open the database: ${messageOf(error)}`, {
      hint: 'name a folder that pman may write with --DBpath',
      cause: error,
    });
  }
}

function hasContainers({ containerEnv }: PmanConfig): boolean {
  return containerEnv === 'swarm' || containerEnv === 'docker';
}

/** The codes of what the front refuses before there is a request to look at. */
const FRONT_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [413, 'payload_too_large'],
  [500, 'internal'],
  [503, 'busy'],
]);

/** The answer to bytes that are no request: there is nothing to echo. */
function refusal(status: number, message: string) {
  const code = FRONT_CODES.get(status) ?? 'bad_request';
  const body = Buffer.from(dumps({ status: false, error: { code, message } }, 4));
  return {
    status,
    headers: [
      ['Content-Length', String(body.length)],
      ['Content-Type', 'application/json'],
      ...SAFETY_HEADERS,
    ] as const,
    body,
  };
}
