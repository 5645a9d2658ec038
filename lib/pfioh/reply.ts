import type { ServerResponse } from 'node:http';
import { type ErrorCode, messageOf, PmanError } from '../errors.ts';
import { dumps } from '../wire/pythonJson.ts';

const STATUS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  busy: 503,
  internal: 500,
  not_implemented: 501,
  unavailable: 503,
  storage: 507,
} as const satisfies Record<ErrorCode, number>;

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

/**
 * A refusal with members of the report that the client would have got, for clients that look there. Where
 * `status` and `msg` stand in the report they stand in the answer.
 */
export class ReportedError extends PmanError {
  readonly report: JsonObject;

  constructor(cause: PmanError, report: JsonObject) {
    const { code, message, hint } = cause;
    super(code, message, { cause, ...(hint === undefined ? {} : { hint }) });
    this.report = report;
  }
}

/** What went wrong as an answer says it: the original's `status` and `msg`, and an `error` object. */
export function refusal(error: unknown): { readonly said: JsonObject; readonly status: number } {
  const known = error instanceof PmanError ? error : new PmanError('internal', messageOf(error));
  const { code, message, hint } = known;
  const said = {
    ...(known instanceof ReportedError ? known.report : {}),
    status: false,
    msg: message,
    error: { code, message, ...(hint === undefined ? {} : { hint }) },
  };
  return { said, status: STATUS[code] };
}

/** Answers with what went wrong. */
export function replyError(response: ServerResponse, error: unknown): void {
  const { said, status } = refusal(error);
  if (status === STATUS.unauthorized) response.setHeader('WWW-Authenticate', 'Bearer');
  replyJson(response, said, status);
}
