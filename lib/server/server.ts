import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FileioEndpoint, QuitOptions, Services } from '../actions/action.ts';
import type { PmanConfig } from '../config/pman.ts';
import { watchDirectiveFile } from '../fileio/directiveFile.ts';
import type { EndpointOptions } from '../fileio/endpoint.ts';
import { savePeriodically } from '../fileio/periodicSave.ts';
import { type Gateway, openGateway } from '../gateway/index.ts';
import { JobDatabase } from '../jobs/database.ts';
import { lockFolder } from '../jobs/folderLock.ts';
import { HostJobs } from '../jobs/hostJobs.ts';
import { workFolderOf } from '../jobs/recordFolder.ts';
import type { Logger } from '../log.ts';
import { readTokens } from '../tokens.ts';
import { dumps } from '../wire/pythonJson.ts';
import { makeAuthenticator } from './auth.ts';
import { dispatch } from './dispatch.ts';
import { makeHandler } from './handler.ts';
import { Listeners } from './listeners.ts';

export interface ServerOptions {
  readonly config: PmanConfig;
  readonly log: Logger;
  /** Opens a pfioh beside pman. */
  readonly openFileio: (options: EndpointOptions) => Promise<FileioEndpoint>;
  /** A client has asked the server to quit. */
  readonly onQuit: (options: QuitOptions) => void;
}

export interface PmanServer {
  readonly gateway: Gateway;
  /** Stops serving, saves the database, frees the port. Jobs go on, unless they are to be ended first. */
  close(options?: QuitOptions): Promise<void>;
}

/** What the records of jobs say that are ended with pman. */
const END_WITH_PMAN = { signal: 'SIGTERM', cause: 'ended with pman' } as const;
/** How much of each output a record holds, in bytes. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Puts pman together and opens its port.
 * @throws PmanError when the database cannot be opened or the port is taken; UsageError when there are no tokens
 */
export async function startServer(options: ServerOptions): Promise<PmanServer> {
  const { config, log } = options;
  const releases: Array<() => void | Promise<void>> = [];
  const close = async () => {
    for (let release = releases.pop(); release; release = releases.pop()) await release();
  };
  try {
    const { gateway, jobs } = await open(options, releases);
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
  { config, log, openFileio, onQuit }: ServerOptions,
  releases: Array<() => void | Promise<void>>,
): Promise<{ readonly gateway: Gateway; readonly jobs: HostJobs }> {
  // pman 2.2.4 looks for this file when --tokenPath is empty (protocol e).
  const tokens =
    config.tokenPath === undefined ? undefined : readTokens(config.tokenPath, 'socket_config.cfg');
  const workFolder = workFolderOf(config.dbPath);
  mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(workFolder);
  releases.push(() => lock.release());
  const database = JobDatabase.open({
    folder: config.dbPath,
    workFolder,
    fsync: config.fsync,
    log: log.child({ component: 'database' }),
  });
  releases.push(() => database.close());

  const spool = join(workFolder, 'jobs');
  mkdirSync(spool, { recursive: true });
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

  const services: Services = {
    database,
    jobs,
    log,
    settings: {
      containerEnv: config.containerEnv,
      exportPath: config.exportPath,
      killGraceMs: config.killGraceMs,
    },
    openFileio: ({ forever }) => openFileio({ ip: config.ip, tokens, forever, log }),
    shutDown: onQuit,
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
    },
    makeHandler({
      services,
      listeners: new Listeners(config.listeners),
      authenticator: makeAuthenticator(tokens),
      httpMode: config.httpMode,
    }),
  );
  releases.push(() => gateway.close());

  const saver = savePeriodically(database, config.dbSavePeriodMs);
  releases.push(() => saver.close());
  const directive = watchDirectiveFile({
    file: config.directiveFile,
    owner: config.dbPath,
    obey: (command) => dispatch(services, command),
    log: log.child({ component: 'directive' }),
  });
  releases.push(() => directive.close());
  return { gateway, jobs };
}

/** The answer to bytes that are no request: there is nothing to echo. */
function refusal(status: number, message: string) {
  const body = Buffer.from(dumps({ status: false, error: { code: status, message } }, 4));
  return {
    status,
    headers: [
      ['Content-Length', String(body.length)],
      ['Content-Type', 'application/json'],
    ] as const,
    body,
  };
}
