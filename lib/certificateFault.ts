import { systemErrorCode } from './errors.ts';

/** What is wrong with a certificate: each is mended in another way. */
export type CertificateFault = 'date' | 'name' | 'unknown';

/** What helps when a certificate has expired, or is not valid yet: to believe it does not. */
export const WRONG_DATE_HINT =
  'the server needs a certificate of today, unless the clock of this machine is wrong';

const WRONG_DATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
/** OpenSSL has many codes for a chain that ends nowhere. */
const UNKNOWN = /CERT|_SIGNATURE$|ISSUER/;

/** Why a certificate is not believed, by the error of a connection; undefined when it has failed otherwise. */
export function certificateFault(cause: unknown): CertificateFault | undefined {
  const code = systemErrorCode(cause) ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name';
  if (WRONG_DATE.has(code)) return 'date';
  // An alert is what the other side says, of a certificate of ours.
  if (code.includes('_ALERT_')) return undefined;
  return UNKNOWN.test(code) ? 'unknown' : undefined;
}
