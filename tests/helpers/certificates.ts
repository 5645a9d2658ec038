import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './tempDir.ts';

/** Why no certificates can be made here, or undefined when they can. */
export const opensslMissing = () =>
  spawnSync('openssl', ['version']).error ? 'no openssl here' : undefined;

export interface CertificateWishes {
  /** What it is for, as OpenSSL writes it. */
  readonly names?: string;
  /** For how many days from now; less than 0: it has expired. */
  readonly days?: number;
  /** A folder of `certificates` whose authority signs this one, too. */
  readonly authority?: string;
}

/** A folder with ca.pem and, signed by it, cert.pem and key.pem (for 127.0.0.1): as DOCKER_CERT_PATH wants it. */
export function certificates(wishes: CertificateWishes = {}): string {
  const { names = 'IP:127.0.0.1', days = 30, authority } = wishes;
  const dir = tempDir();
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  if (authority === undefined) {
    openssl('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
  } else {
    for (const name of ['ca.key', 'ca.pem']) copyFileSync(join(authority, name), join(dir, name));
  }
  openssl('req', ...fresh, '-keyout', 'key.pem', '-out', 'csr', '-subj', '/CN=engine');
  writeFileSync(join(dir, 'ext'), `subjectAltName=${names}\n`);
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
  openssl('x509', '-req', '-in', 'csr', '-out', 'cert.pem', '-days', String(days), ...signed);
  return dir;
}
