import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { PurlConfig } from '../config/purl.ts';
import { messageOf, UsageError } from '../errors.ts';
import type { ConnectOptions } from './http/openConnection.ts';
import { parseTarget } from './http/target.ts';

/**
 * The files of certificates that the command line names.
 * @throws UsageError when one cannot be read, or a key is not that of its certificate
 */
export function certificatesOf({
  cacert,
  cert,
  key,
  http,
}: Pick<PurlConfig, 'cacert' | 'cert' | 'key' | 'http'>): Pick<
  ConnectOptions,
  'authorities' | 'clientCert'
> {
  if (key !== '' && cert === '') throw new UsageError('--key is of no use without --cert');
  const authorities = cacert === '' ? undefined : fileOf('--cacert', cacert);
  // OpenSSL passes over what is no certificate here.
  if (authorities !== undefined) check('--cacert', () => new X509Certificate(authorities));
  if (cert === '') return { authorities };
  const files = { cert: fileOf('--cert', cert), key: fileOf('--key', key === '' ? cert : key) };
  check('--cert', () => createSecureContext(files));
  return { authorities, clientCert: { host: parseTarget(http).host, files } };
}

function fileOf(flag: string, file: string): Buffer {
  return check(flag, () => readFileSync(file));
}

function check<T>(flag: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new UsageError(`${flag}: ${messageOf(cause)}`, { cause });
  }
}
