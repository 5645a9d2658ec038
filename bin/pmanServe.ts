import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { QuitOptions } from '../lib/actions/action.ts';
import { command, readPmanConfig } from '../lib/config/pman.ts';
import { banner, description, synopsis } from '../lib/config/pmanTexts.ts';
import { errorReport } from '../lib/errorReport.ts';
import { messageOf, PmanError, UsageError } from '../lib/errors.ts';
import { refuseForeignSettings, refuseForeignWords } from '../lib/foreignBytes.ts';
import { makeFolder } from '../lib/host/folders.ts';
import { keepDescriptors } from '../lib/host/keptDescriptors.ts';
import { followOwnLink } from '../lib/host/ownFolder.ts';
import { type Rights, rightsUnder } from '../lib/host/rights.ts';
import { LOST_FOLDER, leaveLostFolder } from '../lib/host/workingFolder.ts';
import { type Logger, makeLogger } from '../lib/log.ts';
import { openPman } from '../lib/modules/openPman.ts';
import { outliveReaders } from '../lib/outliveReaders.ts';
import { heedOutput } from '../lib/programOutput.ts';
import { formerDatabase } from '../lib/records/formerPlace.ts';
import type { PmanServer } from '../lib/server/server.ts';
import { VERSION } from '../lib/version.ts';

/** Exit codes: 0 a good end, 1 it cannot run, 2 a wrong command line. */
const CANNOT_RUN = 1;
const WRONG_USE = 2;

interface Ending {
  readonly reason: string;
  readonly options?: QuitOptions;
}

/**
 * The server, by its command line. One that has run ends this process.
 * @param help where its flags are explained
 * @returns the exit code when there was none to run
 */
export async function serve(argv: readonly string[], help: string): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    console.error(errorReport('pman', error, help));
    return error instanceof UsageError ? WRONG_USE : CANNOT_RUN;
  }
}

async function run(argv: readonly string[]): Promise<number> {
  refuseForeignWords(argv);
  refuseForeignSettings(process.env);
  const asked = readPmanConfig({ argv, env: process.env });
  switch (asked.kind) {
    case 'print':
      return told(asked.text);
    case 'version':
      return told(`Version: ${VERSION}\n`);
    case 'desc':
      return told(`${banner()}\n${description()}\n${command().helpInformation()}\n`);
    case 'synopsis':
      return told(`${banner()}\n${synopsis()}\n`);
    case 'run':
      break;
  }
  outliveReaders();
  const config = { ...asked.config, dbPath: databaseFolder(asked.config.dbPath) };
  if (leaveLostFolder()) console.error(`pman: ${LOST_FOLDER}`);
  const rights = rightsUnder(config.umask);
  if (config.debugFile !== undefined) makeFolderOf(config.debugFile, rights);
  const log = makeLogger({
    verbosity: config.verbosity,
    format: config.logFormat,
    ...(config.debugFile === undefined ? {} : { file: config.debugFile, fileMode: rights.file }),
  });
  // Asked to end before it stands: it ends as soon as it does.
  let end: (ending: Ending) => void = () => undefined;
  const ended = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  onSignals((reason) => end({ reason }));
  const handedDown = await keepDescriptors();
  if (handedDown.length > 0)
    log.warn('what pman starts holds its descriptors open; its jobs do not', { handedDown });
  const server = await openPman({
    ...{ config, log, env: process.env, home: homedir() },
    onQuit: (options) => end({ reason: 'a client asked it to quit', options }),
  });
  for (const unknown of asked.unknown ?? []) {
    log.warn('an environment variable is no setting of pman', { ...unknown });
  }
  const former = config.isDefaultDatabase ? formerDatabase() : undefined;
  if (former !== undefined) {
    log.warn('the database in the former default place is not used', {
      former,
      remedy: `start pman with --DBpath ${former}, or move it and ${former}.spool`,
    });
  }
  // For whoever starts pman with --port 0, and for those who wonder; not a matter of verbosity.
  process.stderr.write(`pman listening on ${server.gateway.endpoint}\n`);
  // A certificate is as good as a token.
  if (config.tokenPath === undefined && config.tls?.clientCA === undefined) warnOpen(log, server);
  if (config.jobs.user === undefined && process.geteuid?.() === 0) {
    log.warn('jobs of this host run as root; see --jobUser');
  }
  const { reason, options } = await ended;
  if (config.verbosity > 0) console.log('Gracefully shutting down!...');
  log.info('shutting down', { reason });
  await server.close(options);
  process.exit(0);
}

function told(text: string): number {
  heedOutput('pman');
  process.stdout.write(text);
  return 0;
}

/** @throws PmanError storage for a link that leads nowhere */
function databaseFolder(dbPath: string): string {
  try {
    return followOwnLink(dbPath);
  } catch (error) {
    throw new PmanError('storage', `cannot open the database ${dbPath}: ${messageOf(error)}`, {
      hint: 'it is a link: make the folder that it leads to',
    });
  }
}

function makeFolderOf(debugFile: string, rights: Rights): void {
  try {
    makeFolder(dirname(debugFile), rights.folder);
  } catch (error) {
    throw new PmanError('storage', `cannot write the debug log ${debugFile}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** The first signal ends pman in order, the second at once. */
function onSignals(end: (reason: string) => void): void {
  let asked = false;
  for (const signal of ENDING_SIGNALS) {
    process.on(signal, () => {
      if (asked) process.exit(CANNOT_RUN);
      asked = true;
      end(signal);
    });
  }
}

function warnOpen(log: Logger, { gateway }: PmanServer): void {
  log.warn(
    'token authentication is off: whoever reaches this port runs commands as this user; ' +
      'see --enableTokenAuth and --tokenPath',
    { endpoint: gateway.endpoint },
  );
}
