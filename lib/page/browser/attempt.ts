/** What is tried for so long and no longer, as long as its round goes on. */
export class Attempt {
  readonly breaker = new AbortController();
  readonly #round: AbortSignal;
  readonly #giveUp = () => this.breaker.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(round: AbortSignal, ms: number) {
    this.#round = round;
    round.addEventListener('abort', this.#giveUp);
    this.again(ms);
  }

  /** The next part of it has its own time. */
  again(ms: number): void {
    this.worked();
    this.#timer = setTimeout(this.#giveUp, ms);
  }

  /** It goes on without an end. */
  worked(): void {
    clearTimeout(this.#timer);
  }

  /** Forgets it, and breaks off what is left of it. */
  end(): void {
    this.worked();
    this.#round.removeEventListener('abort', this.#giveUp);
    this.breaker.abort();
  }
}
