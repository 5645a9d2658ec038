/** pfioh as a module: `import { startFileServer } from 'pman/pfioh'`. */
import { PFIOH_SETTING_NAMES, type PfiohSettings, readPfiohFlags } from '../config/pfioh.ts';
import { flagsOf, requireSettings } from '../config/settingValues.ts';
import { UsageError } from '../errors.ts';
import { type LogMethods, loggerOver } from '../log.ts';
import { openPfioh } from './openPfioh.ts';

export { type ErrorCode, PmanError, UsageError } from '../errors.ts';
export type { LogMethods } from '../log.ts';
export type { PfiohSettings };

/** The settings of the program pfioh, by the names of its flags, and what only a program can give. */
export type FileServerOptions = Omit<PfiohSettings, 'storeBase'> & {
  /** The folder that it keeps to; `/` opens the whole file system. */
  readonly storeBase: string;
  /** Gets what pfioh has to say; default: nobody does. `verbosity` has no effect on it. */
  readonly logger?: LogMethods;
};

export interface RunningFileServer {
  /** Where it listens: `http://127.0.0.1:5055`. */
  readonly address: string;
  readonly port: number;
  /** Resolves when it has ended: closed, told to quit, or, with `forever: false`, after one transfer. */
  readonly closed: Promise<void>;
  /**
   * Stops listening and waits for the requests under way, but not for clients that are silent for 2.5 seconds; a second
   * call drops them.
   */
  close(): Promise<void>;
}

/**
 * Starts a pfioh in this process, which serves until it is closed (`forever: true` is the default here). Nothing of the
 * process is changed.
 * @throws UsageError (`usage`) for a setting that is wrong, an address that cannot be listened on, and a store that is
 *   not there
 */
export async function startFileServer(options: FileServerOptions): Promise<RunningFileServer> {
  const { logger, ...settings } = options;
  requireSettings(settings, PFIOH_SETTING_NAMES, ['storeBase']);
  const line = readPfiohFlags(flagsOf({ forever: true, ...settings }));
  if (line.kind !== 'run') throw new UsageError('these are settings of a command line');
  const { config } = line;
  const server = await openPfioh(config, loggerOver(logger));
  const host = server.address.includes(':') ? `[${server.address}]` : server.address;
  const address = `http${config.tls === undefined ? '' : 's'}://${host}:${server.port}`;
  const { port, done } = server;
  const close = async () => {
    await server.close();
    await done;
  };
  return { address, port, closed: done, close };
}
