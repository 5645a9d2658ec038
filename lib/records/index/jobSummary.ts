import type { JsonValue } from '../../wire/json.ts';

/** What is known of each job without its record. */
export interface JobSummary {
  readonly jid?: JsonValue;
  readonly auid?: JsonValue;
  /** How it ended, as clients are told; absent while it has not. */
  readonly status?: string;
  /** How it ended, with those apart that a client has ended; only once it has. */
  readonly state?: 'succeeded' | 'failed' | 'killed' | 'lost';
  /** About what its record and its outputs take on the disk; only once it has ended. */
  readonly bytes?: number;
  /** The beginning of its command. */
  readonly cmd?: string;
  /** Whether its command goes on behind that. */
  readonly isLong?: true;
  /** What runs it, where it is not this host. */
  readonly runsOn?: 'ssh' | 'container';
  readonly labels?: Readonly<Record<string, string>>;
  /** The idempotency key it was sent with. */
  readonly key?: string;
  /** A digest of all that it was sent with; only with a key. */
  readonly digest?: string;
  /** Its exit code, null when it has none. Absent where its record has to tell this and what follows. */
  readonly exit?: number | null;
  /** When its first part started, and when it ended, in microseconds since 1970; absent where nobody knows. */
  readonly startUs?: number;
  readonly endUs?: number;
  /** Why it did not succeed: a word, and a sentence where that is not the usual one of the word. */
  readonly code?: string;
  readonly cause?: string;
  /** Where its outline is kept; only once it has ended. */
  readonly outline?: OutlinePlace;
}

/** Where a line stands among those of `outlineStore.ts`, and how long it is, in bytes. */
export type OutlinePlace = readonly [at: number, size: number];

/** What lists show of how a job ended. */
export type JobEnd = Pick<JobSummary, 'state' | 'exit' | 'startUs' | 'endUs' | 'code' | 'cause'>;

/** Whether lists show the same of two ends. */
export function isSameEnd(one: JobEnd, other: JobEnd): boolean {
  return (
    one.state === other.state &&
    one.exit === other.exit &&
    one.startUs === other.startUs &&
    one.endUs === other.endUs &&
    one.code === other.code &&
    one.cause === other.cause
  );
}
