import { STATUS_CODES } from 'node:http';
import { errorMember, statusOf } from '../../wire/reply.ts';
import type { ApiReply } from './apiRoute.ts';

/** Anything that was thrown, as `application/problem+json` (RFC 9457). */
export function problemReply(error: unknown): ApiReply {
  const { code, message, hint } = errorMember(error);
  return problem(statusOf(error), String(code), String(message), hint);
}

/** An answer that says what is wrong. */
export function problem(status: number, code: string, detail: string, hint?: unknown): ApiReply {
  const title = STATUS_CODES[status] ?? 'Error';
  return {
    status,
    headers: [['Content-Type', 'application/problem+json']],
    body: {
      ...{ type: 'about:blank', title, status, detail, code },
      ...(typeof hint === 'string' ? { hint } : {}),
    },
  };
}
