import { PmanClientError } from '../client/index.ts';
import { hintOf } from '../errorReport.ts';
import { clientHint } from './clientHint.ts';
import { CannotError } from './failures.ts';

/** An error for programs, with the names that the API has for them. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  /** The HTTP status, where a server has said it. */
  readonly status: number | null;
  readonly hint: string | null;
}

/** What `--json` prints of an error that has a cause which people can mend. */
export function problemOf(error: Error, verb: string): Problem {
  if (error instanceof CannotError) {
    const hint = error.lines.length === 0 ? null : error.lines.join('; ');
    return { code: error.code, detail: error.message, status: null, hint };
  }
  if (!(error instanceof PmanClientError)) {
    return { code: 'usage', detail: error.message, status: null, hint: usageHint(error, verb) };
  }
  const { code, message, status = null } = error;
  return { code, detail: message, status, hint: clientHint(error) ?? null };
}

export const usageHint = (error: Error, verb: string) =>
  hintOf(error) ?? `pman ${verb} --help lists its flags`;
