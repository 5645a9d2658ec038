import { messageOf, systemErrorCode } from '../errors.ts';

const UNKNOWN = 'its certificate is of an authority that this server does not know';

/** The codes of Node and OpenSSL, which has one for each way in which a chain of certificates ends nowhere. */
const CERTIFICATE_WORDS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN],
]);

/** What OpenSSL says when what comes is not TLS. */
const PLAIN_ANSWERS = /wrong version number|packet length too long|http request|unknown protocol/;

/** Why a connection to a receiver failed, in words for the delivery log. */
export function connectionWords(error: unknown, host: string): string {
  const code = systemErrorCode(error) ?? '';
  // Node's own words tell what other names the receiver has.
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is not for ${host}`;
  return CERTIFICATE_WORDS.get(code) ?? wordsOfOpenSsl(messageOf(error));
}

/** Its messages are `<number>:error:<number>:SSL routines:<function>:<reason>:<file>:<line>:`. */
function wordsOfOpenSsl(message: string): string {
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  if (reason === undefined) return message;
  return PLAIN_ANSWERS.test(reason) ? 'it does not speak TLS' : `no TLS with it: ${reason}`;
}
