import type { Problem } from '../dialects/v2/shapes.ts';
import type { Answer } from './transport.ts';

export interface ClientErrorDetails {
  /** The HTTP status; undefined when there was no answer. */
  readonly status?: number | undefined;
  /** What can be done about it, in words. */
  readonly hint?: string | undefined;
  /** When it is worth trying again. */
  readonly retryAfterSeconds?: number | undefined;
  /** The key of a job that may have been accepted. */
  readonly mayHaveKey?: string | undefined;
  readonly cause?: unknown;
}

/**
 * What a call of the client throws when it does not work out. `code` is for programs: that of the server's problem
 * (`not_found`, `conflict`, `unauthorized`, `gone` …), `unreachable` when no answer came, `bad_answer` for an answer that
 * no pman gives.
 */
export class PmanClientError extends Error {
  /** Also when its code is made small. */
  static override readonly name: string = 'PmanClientError';
  readonly code: string;
  readonly status: number | undefined;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The key of a job that may have been accepted, though no answer says so: with the same key no second one is made. */
  readonly mayHaveKey: string | undefined;

  constructor(
    code: string,
    message: string,
    { status, hint, retryAfterSeconds, mayHaveKey, cause }: ClientErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = PmanClientError.name;
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.retryAfterSeconds = retryAfterSeconds;
    this.mayHaveKey = mayHaveKey;
  }
}

/**
 * The error of an answer that no pman gives: the address is that of something else.
 * @param base what was given as the address
 * @param what it was: `status 404`
 */
export function noPman(
  base: string,
  what: string,
  details: Omit<ClientErrorDetails, 'hint'> = {},
): PmanClientError {
  return new PmanClientError('bad_answer', `what answered at ${base} is no pman: ${what}`, {
    ...details,
    hint: 'name what stands before /api/v2',
  });
}

const PROXY_HINT = 'is it a proxy? then the pman behind it is away: see there whether it runs';
const HTTPS_HINT = 'name it by https:// in place of http://';
/** As pman says it to a client that does not speak TLS, and as nginx, Apache and Go do. */
const SPEAKS_TLS = /\b(?:https|ssl|tls)\b/i;

/** The error that an answer tells; `text` is its body. */
export function refusal(
  base: string,
  answer: Pick<Answer, 'status' | 'headers'>,
  text: string,
): PmanClientError {
  const { status } = answer;
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  const told = problemIn(text);
  if (told !== undefined) {
    const { code, detail, hint } = told;
    return new PmanClientError(code, detail, { status, hint, retryAfterSeconds });
  }
  // A proxy says so of a pman that is away.
  if (status >= 500) {
    const details = { status, retryAfterSeconds, hint: PROXY_HINT };
    return new PmanClientError(
      'bad_answer',
      `${base} answered ${status}, not as pman does`,
      details,
    );
  }
  if (status === 400 && base.startsWith('http:') && SPEAKS_TLS.test(text)) {
    const why = `${base} speaks TLS`;
    return new PmanClientError('bad_answer', why, { status, hint: HTTPS_HINT });
  }
  return noPman(base, `status ${status}`, { status, retryAfterSeconds });
}

/** What a body says of a problem; undefined when it is none of pman's. */
function problemIn(text: string): Pick<Problem, 'code' | 'detail' | 'hint'> | undefined {
  try {
    const { code, detail, hint } = Object(JSON.parse(text));
    return typeof code === 'string' && typeof detail === 'string'
      ? { code, detail, hint }
      : undefined;
  } catch {
    return undefined; // a proxy's page, for one
  }
}

const OF_PROXIES = new Set([502, 504]);

/** Whether the same request may well be answered when it is sent again a little later. */
export function isPassing(error: unknown): error is PmanClientError {
  if (!(error instanceof PmanClientError)) return false;
  const { code, status, retryAfterSeconds } = error;
  if (code === 'unreachable') return true;
  return OF_PROXIES.has(status ?? 0) || (status === 503 && retryAfterSeconds !== undefined);
}

/** What Node, its `fetch` and its parser of HTTP say of a connection that there was. */
const AFTER_SENDING = /^(ECONNRESET|EPIPE|ABORT_ERR|UND_ERR_(SOCKET|HEADERS_TIMEOUT)|HPE_.*)$/;

/** Whether a request may have been carried out though it has failed so: its answer alone may be lost. */
export function mayHaveArrived(error: unknown): error is PmanClientError {
  if (!isPassing(error)) return false;
  if (error.code !== 'unreachable') return OF_PROXIES.has(error.status ?? 0);
  const code = systemCode(error);
  // A browser does not tell.
  return code === undefined || AFTER_SENDING.test(code);
}

/** The code of the system's error that an error comes from. */
function systemCode(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof PmanClientError) continue;
    const code: unknown = Object(at).code;
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/** The error of a job that was sent and may have been accepted; `last`: how the last try has failed. */
export function inDoubt(last: PmanClientError, key: string): PmanClientError {
  const { code, message, status, retryAfterSeconds, cause = last } = last;
  const details = { status, retryAfterSeconds, cause, mayHaveKey: key };
  const hint = `with the same key no second one is made: ${key}`;
  return new PmanClientError(code, `${message}: the job may have been accepted`, {
    ...details,
    hint,
  });
}
