import type { RunnerEvent } from './runnerEvent.ts';

/** How long a start waits for what comes next, to be told together with it, in milliseconds. */
const START_WAITS_MS = 10;

/**
 * Tells servers what becomes of jobs, in order: all that happens in a turn of the event loop at once, and the start of a part
 * together with its end where that comes within a moment. Each message wakes a server, which costs both sides more than what
 * it says (docs/decisions/0034). Nothing is lost with what has not been told: it is in the journals.
 */
export class RunnerNews {
  readonly #send: (lines: string) => void;
  #lines: string[] = [];
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;

  /** @param send is given one or more whole lines */
  constructor(send: (lines: string) => void) {
    this.#send = send;
  }

  tell(event: RunnerEvent): void {
    this.#lines.push(`${JSON.stringify(event)}\n`);
    if (event.kind === 'start') this.#later ??= setTimeout(() => this.flush(), START_WAITS_MS);
    else this.#soon ??= setImmediate(() => this.flush());
  }

  /** Tells now what there is to tell. */
  flush(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    this.#soon = undefined;
    this.#later = undefined;
    if (this.#lines.length === 0) return;
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#send(lines);
  }
}
