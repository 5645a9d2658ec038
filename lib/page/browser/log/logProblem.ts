/** Why something that was asked for of a log could not be done. */
export class LogProblem {
  readonly #off: () => string | undefined;
  /** What was said because pman was away. */
  #saidOff: string | undefined;
  /** As people read it; empty: there is none. */
  text = '';

  /** @param off why pman can be asked for nothing just now; undefined: it can */
  constructor(off: () => string | undefined) {
    this.#off = off;
  }

  /** Whether pman is away: then that is the problem, and nobody waits in silence until it is back. */
  isOff(): boolean {
    const off = this.#off();
    if (off === undefined) return false;
    this.#saidOff = off;
    this.text = off;
    return true;
  }

  /** pman can be asked again. @returns whether that was the problem */
  online(): boolean {
    if (this.text !== this.#saidOff) return false;
    this.#saidOff = undefined;
    this.text = '';
    return true;
  }

  failed(error: unknown): void {
    this.text = error instanceof Error ? error.message : String(error);
  }
}
