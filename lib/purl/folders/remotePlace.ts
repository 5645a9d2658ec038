import { PurlFailure } from '../failure.ts';
import { parseTarget } from '../http/target.ts';

/** A place on a pfioh, as people write it. */
export interface RemotePlace {
  readonly url: URL;
  readonly path: string;
}

/** As in the flags of purl. */
const PORT = '5055';
const FORM = /^(?:(https?):\/\/)?(\[[^\]]+\]|[^:/[\]]+)(?::(\d{1,5}))?:(.*)$/s;

/**
 * Reads `[https://]HOST[:PORT]:PATH`. A path without `/` before it counts from the store of the pfioh.
 * @throws PurlFailure `usage` for what is no such place, or may mean two
 */
export function parsePlace(text: string): RemotePlace {
  const [, scheme = 'http', host, port = PORT, path] = FORM.exec(text) ?? [];
  if (host === undefined || path === undefined) {
    throw new PurlFailure('usage', `${text} is no place: want HOST:PATH or HOST:PORT:PATH`);
  }
  const digits = /^(\d+)(\/.*)?$/s.exec(path);
  if (digits !== null && !text.endsWith(`:${port}:${path}`)) {
    const [, number, rest = '/'] = digits;
    throw new PurlFailure(
      'usage',
      `${text} may mean two places: a port is ${host}:${number}:${rest.slice(1)}, a folder ${host}:./${path}`,
    );
  }
  return { url: parseTarget(`${scheme}://${host}:${port}`), path: path === '' ? '.' : path };
}

/** Whether a text looks like a place on another machine, as for scp: a colon, and no slash before it. */
export function isPlace(text: string): boolean {
  return /^https?:\/\//.test(text) || /^[^/]*:/.test(text);
}
