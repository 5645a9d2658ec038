import type { ServerResponse } from 'node:http';
import { messageOf, PmanError } from '../errors.ts';
import { dumps } from '../wire/pythonJson.ts';
import { statusOf } from '../wire/reply.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Answers with JSON. */
export function replyJson(response: ServerResponse, value: JsonObject, status = 200): void {
  const body = dumps(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** Answers with what went wrong: the original's `status` and `msg`, and an `error` object. */
export function replyError(response: ServerResponse, error: unknown): void {
  const known = error instanceof PmanError ? error : new PmanError('internal', messageOf(error));
  const { code, message, hint } = known;
  const value = {
    status: false,
    msg: message,
    error: { code, message, ...(hint === undefined ? {} : { hint }) },
  };
  if (code === 'unauthorized') response.setHeader('WWW-Authenticate', 'Bearer');
  replyJson(response, value, statusOf(known));
}
