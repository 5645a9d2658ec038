import type { FileioEndpoint, FileioOptions } from '../actions/action.ts';
import type { Logger } from '../log.ts';
import { startFileServer } from '../pfioh/fileServer.ts';

export interface EndpointOptions extends FileioOptions {
  readonly ip: string;
  /** Undefined serves everybody, as pman does without tokens. */
  readonly tokens: readonly string[] | undefined;
  readonly log: Logger;
}

/**
 * Opens a pfioh beside pman, on a free port of the same address: for one transfer with the checks that go before it, or
 * for as long as pman runs. Who may use it is who may use pman.
 */
export async function openFileio(options: EndpointOptions): Promise<FileioEndpoint> {
  const { ip, tokens, forever, log } = options;
  const how = { forever, oneTransfer: true, createDirs: true };
  const server = await startFileServer({ ip, port: 0, ...how, tokens, log });
  log.info('a file transfer endpoint was opened', { port: server.port, forever });
  return { ip: server.address, port: server.port };
}
