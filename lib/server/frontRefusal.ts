import { isApiRequest, problem } from '../dialects/v2/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { GatewayReply } from '../gateway/types.ts';
import { dumps } from '../wire/pythonJson.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';
import { originForm } from './echo.ts';

/** The codes of what the front refuses before there is a request to look at. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [413, 'payload_too_large'],
  [500, 'internal'],
  [503, 'busy'],
]);

/**
 * The answer to what is not taken in whole, or is no request: there is nothing to echo.
 * @param target what was asked for, where that is known
 */
export function frontRefusal(status: number, message: string, target?: string): GatewayReply {
  const code = CODES.get(status) ?? 'bad_request';
  const isApi = target !== undefined && isApiRequest(originForm(target));
  const body = Buffer.from(
    isApi
      ? JSON.stringify(problem(status, code, message).body)
      : dumps({ status: false, error: { code, message } }, 4),
  );
  return {
    status,
    headers: [
      ['Content-Length', String(body.length)],
      ['Content-Type', isApi ? 'application/problem+json' : 'application/json'],
      ...SAFETY_HEADERS,
    ],
    body,
  };
}
