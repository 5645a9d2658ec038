/** A verb cannot do what it was asked for: what is wrong, and what can be done about it. */
export class CannotError extends Error {
  /** Lines that are told below the message. */
  readonly lines: readonly string[];
  /** The exit code; default: that of the verb. */
  readonly exitCode: number | undefined;
  /** For programs, with the words of the API. */
  readonly code: string = 'refused';

  constructor(message: string, lines: readonly string[] = [], exitCode?: number) {
    super(message);
    this.name = 'CannotError';
    this.lines = lines;
    this.exitCode = exitCode;
  }
}

/** A word names no job. */
export class NoSuchJob extends CannotError {
  override readonly code = 'not_found';
}

/** A job takes longer than whoever waits for it wants to. */
export class TimeIsOver extends CannotError {
  override readonly code = 'timeout';
}

/** Ctrl-C: the job is left as it is. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}
