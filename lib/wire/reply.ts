import { type ErrorCode, PmanError } from '../errors.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** HTTP status of each error code (RFC 9110, 15). The original answers 200 to everything. */
export const HTTP_STATUS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  payload_too_large: 413,
  unsupported_media_type: 415,
  name_too_long: 400,
  too_many_tries: 429,
  internal: 500,
  not_implemented: 501,
  busy: 503,
  unavailable: 503,
  storage: 507,
} as const satisfies Record<ErrorCode, number>;

/** The HTTP status of anything thrown: what is no PmanError is a fault of ours. */
export function statusOf(error: unknown): number {
  return error instanceof PmanError ? HTTP_STATUS[error.code] : 500;
}

/** The header lines that an error adds to its answer. */
export function errorHeaders(error: unknown): readonly (readonly [string, string])[] {
  if (!(error instanceof PmanError)) return [];
  const { code, retryAfterSeconds: seconds } = error;
  return [
    ...(code === 'unauthorized' ? [['WWW-Authenticate', 'Bearer'] as const] : []),
    ...(seconds === undefined ? [] : [['Retry-After', String(seconds)] as const]),
  ];
}

/** The `error` member of a refused request. Never shows the text of an unexpected error. */
export function errorMember(error: unknown): JsonObject {
  if (!(error instanceof PmanError)) {
    return { code: 'internal', message: 'pman failed at this request; its log says why' };
  }
  const { code, message, hint } = error;
  return hint === undefined ? { code, message } : { code, message, hint };
}

/** The original answers with an indent of four blanks. */
export const REPLY_INDENT = 4;

/** Of every answer: a browser takes it for nothing but what its type says, and neither it nor a proxy keeps it. */
export const SAFETY_HEADERS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
] as const;

/** Where in a list an answer stands that has not all of it. */
export interface Page {
  /** How many jobs fit. */
  readonly total: number;
  /** Of how many it tells at most. */
  readonly limit: number;
  /** The `offset` to ask on with, when there are more. */
  readonly next?: number;
}

/** What an action gives back: the original's `status` and `d_ret`. */
export interface ActionResult {
  readonly status: JsonValue;
  /** `d_ret`; left out of the reply when undefined. */
  readonly result?: JsonValue;
  /** Why the status is false, where the original says no more than that. */
  readonly error?: PmanError;
  /** Job roots that it was about; the client is not told. */
  readonly jobs?: readonly string[];
  /** What the reply waits for when the action itself is done, such as the end of a job: it takes no listener. */
  readonly after?: Promise<unknown>;
  /** When the result is a page of what was asked for. */
  readonly page?: Page;
}

/**
 * The body of a reply, members in the order of protocol a.4. A member that is undefined is left out.
 */
export interface ReplyBody {
  readonly status: JsonValue;
  readonly RESTheader: string;
  readonly RESTverb: string;
  readonly action: string;
  readonly path: string;
  readonly receivedByServer: readonly string[];
  /** An object, as a `Map` where it may have very many members. */
  readonly GET?: JsonValue | ReadonlyMap<string, JsonValue>;
  /** How many jobs fit, when the answer is a page of them. */
  readonly total?: number;
  readonly limit?: number;
  readonly next?: number;
  readonly client_json_payload?: string;
  readonly client_json_len?: number;
  readonly payloadsize?: number;
  readonly meta?: JsonValue;
  readonly d_ret?: JsonValue;
  readonly error?: JsonValue;
  /** What in the request may not be what its sender means. */
  readonly warnings?: readonly string[];
}
