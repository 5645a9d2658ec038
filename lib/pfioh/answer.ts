import type { ServerResponse } from 'node:http';
import { inTurns } from '../concurrency/turns.ts';
import { PmanError } from '../errors.ts';
import { pathError } from '../transfer/pathError.ts';
import { dumps, dumpsInSteps } from '../wire/pythonJson.ts';
import { errorHeaders, statusOf } from '../wire/reply.ts';
import type { Places } from './places.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Answers with JSON. */
export function answerJson(response: ServerResponse, value: JsonObject, status = 200): void {
  const body = dumps(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** The same for what may be long: it is written in turns with other work. */
export async function answerLongJson(response: ServerResponse, value: JsonObject): Promise<void> {
  const body = await inTurns(dumpsInSteps(value));
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
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

/**
 * Anything that was thrown, as an error that a client may see. What the file system has refused is told with its path;
 * the text of an error that nobody has thought of stays in the log.
 */
export function tellable(error: unknown): PmanError {
  if (error instanceof PmanError) return error;
  if (isFileError(error)) return pathError(error.path, error.syscall, error);
  return new PmanError('internal', 'pfioh failed at this request; its log says why', {
    cause: error,
  });
}

function isFileError(error: unknown): error is { readonly path: string; readonly syscall: string } {
  if (typeof error !== 'object' || error === null) return false;
  return 'path' in error && typeof error.path === 'string' && 'syscall' in error;
}

/**
 * What went wrong as an answer says it: the original's `status` and `msg`, and an `error` object. Where the store lies is
 * nobody's business.
 */
export function refusal(
  error: unknown,
  places: Places,
): { readonly said: JsonObject; readonly status: number } {
  const known = tellable(error);
  const { code, hint } = known;
  const message = places.withoutBase(known.message);
  const said = {
    ...(known instanceof ReportedError ? known.report : {}),
    status: false,
    msg: message,
    error: { code, message, ...(hint === undefined ? {} : { hint }) },
  };
  return { said, status: statusOf(known) };
}

/** Answers with what went wrong. */
export function answerError(response: ServerResponse, error: unknown, places: Places): void {
  const { said, status } = refusal(error, places);
  for (const [name, value] of errorHeaders(error)) response.setHeader(name, value);
  answerJson(response, said, status);
}
