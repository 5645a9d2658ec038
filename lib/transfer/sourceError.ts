import { type ErrorCode, type ErrorDetails, PmanError } from '../errors.ts';
import { pathError } from './pathError.ts';

/** Why something cannot be sent: it cannot be read, or it changed while it was read. */
export class SourceError extends PmanError {
  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details);
    this.name = 'SourceError';
  }
}

/** A system error about a path that is sent. */
export function sourceError(path: string, what: string, cause: unknown): SourceError {
  const { code, message } = pathError(path, what, cause);
  return new SourceError(code, message, { cause });
}

/** What is read is no longer what it was: nobody may take what came of it for the whole. */
export function changedError(path: string, how: string): SourceError {
  return new SourceError('conflict', `${path} ${how} while it was read`, {
    hint: 'try again when nobody writes there',
  });
}
