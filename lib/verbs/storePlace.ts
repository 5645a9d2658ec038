import { CannotError, Interrupted } from './failures.ts';
import type { FilesWork } from './filesWork.ts';
import { onInterrupts } from './interrupts.ts';
import type { Session } from './session.ts';

/** The pfioh beside the server, at work, and where its files lie there. */
export interface OpenedStore {
  readonly files: FilesWork;
  /** On the host of the server. */
  readonly folder: string;
  /** Lets Ctrl-C be what it was. */
  close(): void;
}

/** An error of the files, as people are told it. */
export function filesError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'FilesFailure') return error;
  if ('isInterrupted' in error && error.isInterrupted === true) return new Interrupted();
  return new CannotError(error.message);
}

export interface StoreOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/**
 * Opens the pfioh beside the server; Ctrl-C breaks off what is under way there.
 * @throws PmanClientError, CannotError
 */
export async function openStore(session: Session, options: StoreOptions): Promise<OpenedStore> {
  const { client, place, env } = session;
  const { json, quiet } = options;
  const { scheme, port, folder } = await client.store();
  const { hostname } = new URL(place.url);
  const { openFiles } = await import('./filesWork.ts');
  const stop = new AbortController();
  const close = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (_signal, count) => {
    if (count > 1) process.exit(130);
    stop.abort();
  });
  const url = `${scheme}://${hostname}:${port}`;
  const { token, ca } = place;
  return {
    files: openFiles({ url, token, ca, json, quiet, env, signal: stop.signal }),
    folder,
    close,
  };
}
