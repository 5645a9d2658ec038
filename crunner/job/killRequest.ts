/** An order to end a job. */
export interface KillRequest {
  readonly signal: NodeJS.Signals;
  /** How long to wait before SIGKILL ends what is left of it, in milliseconds. */
  readonly graceMs: number;
  /** Why, in words, for the record: "ended by …". */
  readonly cause: string;
}
