import { messageOf, PmanError } from '../lib/errors.ts';
import { statusSchema } from './objects.ts';

/** What the API server said in place of what was asked for. */
export class ApiError extends PmanError {
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, ...rest: ConstructorParameters<typeof PmanError>) {
    super(...rest);
    this.status = status;
  }
}

/** A version that a watch is to go on from is not known any more: everything has to be listed again. */
export const GONE = 410;
/** A right is missing, or what is asked for is against the rules of the namespace. */
const FORBIDDEN = 403;
const MISSING_RIGHT = /\bcannot \w+ resource\b/;

/**
 * What an answer that is no success means, as an error of ours: not_found, conflict, bad_request, or unavailable when asking again
 * may help.
 * @param doing what was being done, to what: 'create job "x"'
 * @param body the answer, which is a Status of Kubernetes unless something else stands between
 */
export function apiError(doing: string, status: number, body: string): ApiError {
  const reason = reasonIn(body);
  const message = `cannot ${doing}: ${reason || `the API server answers ${status}`}`;
  if (status === 401) {
    return new ApiError(status, 'unavailable', message, {
      hint: 'The API server does not know this user: are the credentials in the kubeconfig still good?',
    });
  }
  if (status === FORBIDDEN && MISSING_RIGHT.test(reason)) {
    return new ApiError(status, 'unavailable', message, {
      hint: 'The role of this user lacks a right; docs/openshift.md lists what pman needs.',
    });
  }
  if (status === FORBIDDEN && /\bexceeded quota\b/.test(reason)) {
    return new ApiError(status, 'unavailable', message, {
      hint: 'The namespace has a quota: end other jobs, or raise it.',
    });
  }
  if (status === 404) return new ApiError(status, 'not_found', message);
  if (status === 409) return new ApiError(status, 'conflict', message);
  if (status >= 400 && status < 500 && status !== 429 && status !== 408) {
    return new ApiError(status, 'bad_request', message);
  }
  return new ApiError(status, 'unavailable', message, { hint: 'Ask again later.' });
}

/** No answer came. */
export function noAnswer(doing: string, server: string, cause: unknown): PmanError {
  return new PmanError(
    'unavailable',
    `cannot ${doing}: no answer from the Kubernetes API at ${server}: ${messageOf(cause)}`,
    {
      hint: 'Is the cluster up, and is it reached from here? --kubeconfig names another one.',
      cause,
    },
  );
}

/** Whether the role of this user lacks a right. */
export const lacksRight = (error: unknown): error is ApiError =>
  isStatus(error, FORBIDDEN) && MISSING_RIGHT.test(error.message);

export const isStatus = (error: unknown, status: number): error is ApiError =>
  error instanceof ApiError && error.status === status;

/** The words of a Status, or the beginning of another answer. */
function reasonIn(body: string): string {
  try {
    const { data } = statusSchema.safeParse(JSON.parse(body));
    return data?.message ?? '';
  } catch {
    // Not JSON: a proxy has answered.
    return body.trim().slice(0, 200);
  }
}
