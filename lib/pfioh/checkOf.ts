import type { IncomingMessage } from 'node:http';
import { askedCheck, CHECK_HEADER, type Check } from '../transfer/contentCheck.ts';

/** How a client wants the content of its transfer checked. @throws BadRequestError */
export function checkOf({ headers }: IncomingMessage): Check {
  const said = headers[CHECK_HEADER.toLowerCase()];
  return askedCheck(typeof said === 'string' ? said : undefined);
}
