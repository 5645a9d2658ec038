import type { JobReport } from '../../jobs/backend.ts';
import type { JsonObject, JsonValue } from '../../wire/json.ts';

/** Of a report what `status` tells. */
export type Standing = Pick<JobReport, 'status'> & {
  readonly [K in 'combined' | 'note' | 'outputs' | 'shown']?: JobReport[K] | undefined;
};

/** How the original answers where its back-ends differ: by the one that the server was started with. */
export interface EnvelopeDialect {
  /** What `status` adds to `done`, and the reply's own `status`. */
  status(reports: readonly Standing[]): StatusAnswer;
  /** What `delete` answers when there is no such job; undefined: it is refused. */
  readonly nothingDeleted: { readonly status: JsonValue; readonly result: JsonObject } | undefined;
  /** The reply's `status` for jobs that were deleted. */
  readonly deleted: JsonValue;
  /** Whether `delete` ends jobs that run. */
  readonly endsToDelete: boolean;
}

export interface StatusAnswer {
  readonly status: JsonValue;
  readonly members: readonly (readonly [string, JsonValue])[];
}
