import { PmanClientError } from './clientError.ts';

/** Whether a text can be sent as the value of a header (RFC 9110, section 5.5): no line breaks, nothing beyond Latin-1. */
export function isHeaderValue(text: string): boolean {
  return /^[\t -~\u0080-\u00ff]*$/.test(text);
}

/**
 * @param what what it is called; what it is, may be secret
 * @throws PmanClientError bad_request for a text that no header can have
 */
export function requireSendable(what: string, text: string): void {
  if (isHeaderValue(text)) return;
  throw new PmanClientError('bad_request', `the ${what} has a character that cannot be sent`);
}
