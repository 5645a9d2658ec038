import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './tempDir.ts';

/** Why no certificates can be made here, or undefined when they can. */
export const opensslMissing = () =>
  spawnSync('openssl', ['version']).error ? 'no openssl here' : undefined;

/** A folder with ca.pem and, signed by it, cert.pem and key.pem for 127.0.0.1: as DOCKER_CERT_PATH wants it. */
export function certificates(): string {
  const dir = tempDir();
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
  openssl('req', ...fresh, '-keyout', 'key.pem', '-out', 'csr', '-subj', '/CN=engine');
  writeFileSync(join(dir, 'ext'), 'subjectAltName=IP:127.0.0.1\n');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
  openssl('x509', '-req', '-in', 'csr', '-out', 'cert.pem', ...signed);
  return dir;
}
