import { certificateFault, WRONG_DATE_HINT } from '../certificateFault.ts';
import { messageOf, systemErrorCode } from '../errors.ts';

/** Why no answer came, in words, and what can be done about it. */
export interface Unreachable {
  /** Undefined where nothing more is known. */
  readonly why: string | undefined;
  readonly todo: string;
}

const OTHER = 'name another by --server or PMAN_URL';
/** OpenSSL says it with lines of its own source, in other words from one version to the next. */
const NO_TLS = /wrong version number|packet length too long|http request/i;

/** What the error of a connection that could not be made means: starting a server does not help against all of them. */
export function whyUnreachable(cause: unknown): Unreachable {
  if (cause === undefined) return { why: undefined, todo: `start it by "pman serve", or ${OTHER}` };
  const code = systemErrorCode(cause) ?? '';
  const message = messageOf(cause).trim().split('\n')[0] || 'no connection';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const name: unknown = Object(cause).hostname;
    const host = typeof name === 'string' ? `the name ${name}` : 'its name';
    return { why: `${host} is not known (${code})`, todo: `is it written right? ${OTHER}` };
  }
  if (NO_TLS.test(message)) {
    const todo = 'name it by http:// in place of https://';
    return { why: 'what answers there does not speak TLS', todo };
  }
  const fault = certificateFault(cause);
  if (fault === 'date') return { why: message, todo: WRONG_DATE_HINT };
  if (fault === 'name') {
    const todo = 'name the server by a name that its certificate has, by --server or PMAN_URL';
    return { why: message, todo };
  }
  if (fault === 'unknown') {
    return { why: message, todo: '--ca FILE or PMAN_CA names certificates to believe' };
  }
  if (code !== '' && Object(cause).syscall === 'open') {
    return { why: message, todo: 'name a file that can be read by --ca or PMAN_CA' };
  }
  return { why: message, todo: `start it by "pman serve", or ${OTHER}` };
}
