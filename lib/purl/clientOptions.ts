import type { Readable } from 'node:stream';
import type { PurlConfig } from '../config/purl.ts';
import { VERSION } from '../version.ts';
import { certificatesOf } from './certificates.ts';
import type { ClientOptions } from './http/httpClient.ts';
import { parseTarget, zonesOf } from './http/target.ts';
import { resolveText } from './jsonMessage.ts';

/**
 * How servers are reached, as the command line says.
 * @throws PurlFailure `localRead` for a token that cannot be read; UsageError for certificates
 */
export async function clientOptions(config: PurlConfig, stdin: Readable): Promise<ClientOptions> {
  const givenHeaders: [string, string][] = [];
  if (config.auth !== '') {
    givenHeaders.push(['Authorization', `Basic ${Buffer.from(config.auth).toString('base64')}`]);
  }
  if (config.authToken !== '') {
    const token = (await resolveText(config.authToken, stdin)).trim();
    givenHeaders.push(['Authorization', `bearer ${token}`]);
  }
  for (const line of config.header) {
    const colon = line.indexOf(':');
    givenHeaders.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return {
    connectTimeoutMs: config.connectTimeout,
    idleTimeoutMs: config.timeout ?? 0,
    retries: config.retries,
    unverifiedCerts: config.unverifiedCerts || config.insecure,
    ...certificatesOf(config),
    proxy: config.httpProxy === '' ? undefined : parseTarget(config.httpProxy),
    zones: zonesOf([config.http, config.httpProxy]),
    headers: [
      ['User-Agent', `purl/${VERSION}`],
      ['Accept', '*/*'],
    ],
    givenHeaders,
  };
}
