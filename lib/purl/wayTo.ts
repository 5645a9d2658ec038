import { VERSION } from '../version.ts';
import { certificatesOf } from './certificates.ts';
import { parseTarget, zonesOf } from './http/target.ts';
import type { Way } from './peer.ts';

const CONNECT_MS = 30_000;
const IDLE_MS = 60_000;
const RETRIES = 2;

export interface WayOptions {
  readonly url: string;
  readonly token: string | undefined;
  /** The file of the authorities that are trusted, in place of those that Node knows. */
  readonly cacert: string | undefined;
  readonly signal: AbortSignal;
}

/** The way to a pfioh, as usual. @throws UsageError for certificates that cannot be read */
export function wayTo({ url, token, cacert = '', signal }: WayOptions): Way {
  return {
    url: parseTarget(url),
    signal,
    patient: true,
    client: {
      ...{ connectTimeoutMs: CONNECT_MS, idleTimeoutMs: IDLE_MS, retries: RETRIES },
      unverifiedCerts: false,
      ...certificatesOf({ cacert, cert: '', key: '', http: url }),
      proxy: undefined,
      zones: zonesOf([url]),
      headers: [
        ['User-Agent', `pman/${VERSION}`],
        ['Accept', '*/*'],
      ],
      givenHeaders: token === undefined ? [] : [['Authorization', `bearer ${token}`]],
    },
  };
}
