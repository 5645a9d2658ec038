/** pman as a module: `import { startServer } from 'pman'`. */
import { join } from 'node:path';
import type { QuitOptions } from '../actions/action.ts';
import { homeOf } from '../config/databasePlace.ts';
import { PMAN_SETTING_NAMES, type PmanSettings, readPmanConfig } from '../config/pman.ts';
import { flagsOf, requireSettings } from '../config/settingValues.ts';
import { messageOf, UsageError } from '../errors.ts';
import { type LogMethods, loggerOver } from '../log.ts';
import { workFolderOf } from '../records/folder.ts';
import { openPman } from './openPman.ts';

export { type ErrorCode, PmanError, UsageError } from '../errors.ts';
export type { LogMethods } from '../log.ts';
export type { PmanSettings, QuitOptions };

/** The settings of the program pman, by the names of its flags, and what only a program can give. */
export type StartOptions = Omit<PmanSettings, 'DBpath' | 'debugToFile' | 'debugFile'> & {
  /** The folder of the database. The work folder is beside it. */
  readonly DBpath: string;
  /** Gets what pman has to say; default: nobody does. `verbosity` has no effect on it. */
  readonly logger?: LogMethods;
  /**
   * The environment: what jobs inherit, `PMAN_*` settings, and how engines are reached. Default: nothing. `process.env` is what
   * the program has.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:5010`. */
  readonly address: string;
  readonly port: number;
  /** Resolves when it is closed: by `close`, or since a client has asked it to quit. */
  readonly closed: Promise<void>;
  /** Stops serving, saves the database and frees the port. Jobs go on, unless they are to be ended first. */
  close(options?: QuitOptions): Promise<void>;
}

/**
 * Starts a pman in this process. Nothing of the process is changed: signals, exit code, environment, folder and umask are
 * the caller's. The jobs run in a process of their own, which outlives this one.
 * @throws UsageError (`usage`) for a setting that is wrong; PmanError: `conflict` when another pman has the database
 *   or its path is no folder, `storage` when it cannot be opened, `unavailable` when the port is taken
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { logger, env = {}, DBpath, ...settings } = options;
  requireSettings({ DBpath, ...settings }, PMAN_SETTING_NAMES, ['DBpath']);
  const ownFile = join(workFolderOf(DBpath), 'd_msg.json');
  const argv = flagsOf({ directiveFile: ownFile, ...settings, DBpath });
  const asked = readPmanConfig({ argv, env });
  if (asked.kind !== 'run') throw new UsageError('these are settings of a command line');
  const { config } = asked;
  const log = loggerOver(logger);
  const quit = (how: QuitOptions): void => {
    close(how).catch((error: unknown) => log.error('cannot close', { error: messageOf(error) }));
  };
  const opening = openPman({ config, log, env: { ...env }, home: homeOf(env), onQuit: quit });
  let told: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => {
    told = resolve;
  });
  let closing: Promise<void> | undefined;
  const close = (how?: QuitOptions): Promise<void> => {
    closing ??= opening.then((server) => server.close(how)).then(() => told?.());
    return closing;
  };
  const { endpoint } = (await opening).gateway;
  const address = endpoint.replace(/^tcp/, config.tls === undefined ? 'http' : 'https');
  return { address, port: Number(/\d+$/.exec(endpoint)?.[0]), closed, close };
}
