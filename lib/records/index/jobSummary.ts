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
}
