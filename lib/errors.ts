/**
 * What went wrong, for programs. `lib/wire/reply.ts` maps each code to its HTTP status;
 * a new code is added here and there, and the compiler asks for the second.
 */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'gone'
  | 'conflict'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'name_too_long'
  | 'too_many_tries'
  | 'busy'
  | 'internal'
  | 'not_implemented'
  | 'unavailable'
  | 'storage';

export interface ErrorDetails {
  /** What the caller can do about it, as a sentence. */
  readonly hint?: string;
  /** When it is worth trying again. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * An error whose message may be shown to a client: it says what was being done, to what, and what
 * came instead. It never holds a token or an environment.
 */
export class PmanError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { hint, retryAfterSeconds, cause }: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The request cannot be understood or lacks something. */
export class BadRequestError extends PmanError {
  constructor(message: string, details?: ErrorDetails) {
    super('bad_request', message, details);
  }
}

/** The command line, the environment or a config file asks for something impossible. */
export class UsageError extends Error {
  readonly code = 'usage';
  /** What the user can do about it, as a sentence. */
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: Pick<ErrorDetails, 'hint' | 'cause'> = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UsageError';
    this.hint = hint;
  }
}

/**
 * The `code` of a system error ('ENOENT', 'EAGAIN', …), or undefined; those of our own errors are in small letters. Tests the
 * field and not the class: errors of Node's core are of another realm under jest.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[A-Z]/.test(error.code) ? error.code : undefined;
}

/** Whether a write failed since nobody reads any more. */
export function hasNoReader(error: unknown): boolean {
  const code = systemErrorCode(error);
  // The second is that of a socket, as programs of Node use for pipes, whose reader has left something unread.
  return code === 'EPIPE' || code === 'ECONNRESET';
}

const TEMPORARY = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

/** Whether the system lacks something just now (open files, processes, memory): it says nothing about what was asked for. */
export function isTemporary(error: unknown): boolean {
  return TEMPORARY.has(systemErrorCode(error) ?? '');
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (isWithoutFolder(error)) {
    return 'the folder that it was started in is gone, or is closed to this user: change into another one, or name full paths';
  }
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return String(error.message);
  }
  return String(error);
}

/** Whether somebody has asked for the working folder, and there is none any more (`uv_cwd` is what Node calls the question). */
export function isWithoutFolder(error: unknown): boolean {
  return (
    systemErrorCode(error) !== undefined && (error as { syscall?: unknown }).syscall === 'uv_cwd'
  );
}
