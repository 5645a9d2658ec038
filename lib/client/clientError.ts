import type { Problem } from '../dialects/v2/shapes.ts';
import type { Answer } from './transport.ts';

export interface ClientErrorDetails {
  /** The HTTP status; undefined when there was no answer. */
  readonly status?: number | undefined;
  /** What can be done about it, in words. */
  readonly hint?: string | undefined;
  /** When it is worth trying again. */
  readonly retryAfterSeconds?: number | undefined;
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

  constructor(
    code: string,
    message: string,
    { status, hint, retryAfterSeconds, cause }: ClientErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = PmanClientError.name;
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.retryAfterSeconds = retryAfterSeconds;
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
    const details = { status, retryAfterSeconds };
    return new PmanClientError(
      'bad_answer',
      `${base} answered ${status}, not as pman does`,
      details,
    );
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
