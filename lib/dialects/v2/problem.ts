import { STATUS_CODES } from 'node:http';
import { errorMember, statusOf } from '../../wire/reply.ts';
import type { ApiReply } from './apiRoute.ts';
import { inOwnWords } from './ownWords.ts';

/** Anything that was thrown, as `application/problem+json` (RFC 9457). */
export function problemReply(error: unknown): ApiReply {
  const { code, message, hint } = errorMember(error);
  const advice = typeof hint === 'string' ? inOwnWords(hint) : undefined;
  return problem(statusOf(error), String(code), inOwnWords(String(message)), advice);
}

/** An answer that says what is wrong. */
export function problem(status: number, code: string, detail: string, hint?: string): ApiReply {
  const title = STATUS_CODES[status] ?? 'Error';
  return {
    status,
    headers: [['Content-Type', 'application/problem+json']],
    body: {
      ...{ type: 'about:blank', title, status, detail, code },
      ...(hint === undefined ? {} : { hint }),
    },
  };
}
