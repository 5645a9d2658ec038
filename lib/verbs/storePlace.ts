import { CannotError, Interrupted } from './failures.ts';
import type { FilesWork } from './filesWork.ts';
import { onInterrupts } from './interrupts.ts';
import type { Session } from './session.ts';
import { INTERRUPTED } from './verbExit.ts';

/** The pfioh beside the server, and where its files lie there. */
export interface Store {
  readonly files: FilesWork;
  /** On the host of the server. */
  readonly folder: string;
}

export interface StoreOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** How often the server may be started again meanwhile. */
const MOST_STARTS = 5;

/**
 * Works with the pfioh beside the server. Ctrl-C breaks it off; a server that was started again has another pfioh, and the
 * work begins again with that: only what is missing still is moved then.
 * @throws PmanClientError, CannotError, Interrupted
 */
export async function withStore<T>(
  session: Session,
  { json, quiet }: StoreOptions,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const { client, patient, place, env } = session;
  const { openFiles } = await import('./filesWork.ts');
  const stop = new AbortController();
  const { signal } = stop;
  const stopListening = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (_signal, count) => {
    if (count > 1) process.exit(INTERRUPTED);
    stop.abort();
  });
  const { hostname } = new URL(place.url);
  const { token, ca } = place;
  try {
    for (let starts = 0; ; starts += 1) {
      // A server that was there is waited for.
      const asked = starts === 0 ? client : patient;
      const { scheme, port, folder } = await asked.store({ signal });
      const url = `${scheme}://${hostname}:${port}`;
      const files = openFiles({ url, token, ca, json, quiet, env, signal });
      try {
        return await work({ files, folder });
      } catch (error) {
        if (!isFilesFailure(error) || !error.isLost || starts >= MOST_STARTS) throw error;
      }
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    if (!isFilesFailure(error)) throw error;
    throw error.isInterrupted ? new Interrupted() : new CannotError(error.message);
  } finally {
    stopListening();
  }
}

interface FilesError extends Error {
  readonly isInterrupted: boolean;
  readonly isLost: boolean;
  readonly isPassing: boolean;
}

/** Its class is another one here: see filesWork.ts. */
export function isFilesFailure(error: unknown): error is FilesError {
  return error instanceof Error && error.name === 'FilesFailure';
}
