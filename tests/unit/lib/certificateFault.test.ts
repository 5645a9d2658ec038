import { expect, it } from '@jest/globals';
import { certificateFault } from '../../../lib/certificateFault.ts';
import { PurlFailure } from '../../../lib/purl/failure.ts';
import { whyUnreachable } from '../../../lib/verbs/whyUnreachable.ts';

const failed = (code: string) => Object.assign(new Error('no'), { code });

it.each([
  ['CERT_HAS_EXPIRED', 'date', /clock/, /clock/],
  ['CERT_NOT_YET_VALID', 'date', /clock/, /clock/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'name', /by a name that/, /by a name that/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unknown', /--cacert FILE/, /--ca FILE/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown', /--cacert FILE/, /--ca FILE/],
])('what helps against %s is said by purl and pman', (code, fault, ofPurl, ofPman) => {
  const cause = failed(code);
  expect(certificateFault(cause)).toBe(fault);
  expect(new PurlFailure('tls', 'no', { cause }).hint).toMatch(ofPurl);
  expect(whyUnreachable(cause).todo).toMatch(ofPman);
});

it.each(['ECONNREFUSED', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'])(
  '%s is no fault of the certificate of the server',
  (code) => expect(certificateFault(failed(code))).toBeUndefined(),
);
