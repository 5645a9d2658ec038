import { expect, it } from '@jest/globals';
import { connectionWords } from '../../../../lib/webhooks/tlsWords.ts';

const failure = (code: string, message = '') => Object.assign(new Error(message), { code });

it.each([
  [
    'the other names of a host are not told',
    failure('ERR_TLS_CERT_ALTNAME_INVALID', "not in the cert's altnames: DNS:secret.internal"),
    'its certificate is not for hooks.example.org',
  ],
  [
    'an authority that only the system of the receiver knows',
    failure('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'),
    'its certificate is of an authority that this server does not know',
  ],
  [
    'plain HTTP on the port',
    failure(
      'EPROTO',
      'write EPROTO 80AC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:350:\n',
    ),
    'it does not speak TLS',
  ],
  [
    'TLS that is too old',
    failure(
      'EPROTO',
      'write EPROTO 80AC:error:0A000102:SSL routines::unsupported protocol:../x.c:1986:\n',
    ),
    'no TLS with it: unsupported protocol',
  ],
  ['anything else', failure('ECONNREFUSED', 'connect ECONNREFUSED'), 'connect ECONNREFUSED'],
])('%s: in words', (_what, error, words) => {
  expect(connectionWords(error, 'hooks.example.org')).toBe(words);
});
