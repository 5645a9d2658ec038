import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Readable } from 'node:stream';
import type { PurlConfig } from '../config/purl.ts';
import { VERSION } from '../version.ts';
import { certificatesOf } from './certificates.ts';
import { PurlFailure } from './failure.ts';
import type { ClientOptions } from './http/httpClient.ts';
import { parseTarget, zonesOf } from './http/target.ts';
import { resolveText } from './jsonMessage.ts';

/**
 * How servers are reached, as the command line says.
 * @throws PurlFailure `localRead` for a token that cannot be read, `usage` for what cannot be sent; UsageError for certificates
 */
export async function clientOptions(config: PurlConfig, stdin: Readable): Promise<ClientOptions> {
  const givenHeaders: [string, string][] = [];
  if (config.auth !== '') {
    givenHeaders.push(['Authorization', `Basic ${Buffer.from(config.auth).toString('base64')}`]);
  }
  if (config.authToken !== '') {
    const token = (await resolveText(config.authToken, stdin)).trim();
    givenHeaders.push(checkedHeader('--authToken', 'Authorization', `bearer ${token}`));
  }
  for (const line of config.header) {
    const colon = line.indexOf(':');
    givenHeaders.push(
      checkedHeader('--header', line.slice(0, colon), line.slice(colon + 1).trim()),
    );
  }
  checkedHeader('--content-type', 'Content-type', config.contentType);
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

/** A header as it is sent. Its value may be secret: that is not told. @throws PurlFailure `usage` */
function checkedHeader(flag: string, name: string, value: string): [string, string] {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return [name, value];
  } catch (cause) {
    const why = 'it has a line break or another character that no header may have';
    const what = JSON.stringify(name);
    throw new PurlFailure('usage', `${flag}: the header ${what} cannot be sent: ${why}`, { cause });
  }
}
