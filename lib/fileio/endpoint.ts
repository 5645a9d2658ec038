import type { FileioEndpoint, FileioOptions } from '../actions/action.ts';
import { PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';

export interface EndpointOptions extends FileioOptions {
  readonly ip: string;
  readonly log: Logger;
}

/** Opens a pfioh beside pman, for one request or for as long as pman runs. */
export async function openFileio(_options: EndpointOptions): Promise<FileioEndpoint> {
  throw new PmanError('not_implemented', 'the file transfer endpoint is not built yet');
}
