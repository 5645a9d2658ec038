import { PmanError } from '../errors.ts';
import type { Token } from './tokenFile.ts';
import { matchesScrypt } from './tokenValue.ts';

/** What is remembered of tokens that were compared; of the right ones and of the wrong ones. */
const MAX_REMEMBERED = 1000;
/** Tokens that may wait for their turn. */
const MAX_WAITING = 16;

/**
 * Compares with tokens that are kept as slow hashes: once for each token that is sent, one after the other. What came
 * out is remembered by the digest of what was sent.
 */
export class SlowHashes {
  readonly #right = new Map<string, Token>();
  readonly #wrong = new Map<string, 'none'>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #generation = 0;

  areIn(tokens: readonly Token[]): boolean {
    return tokens.some(({ value }) => value.kind === 'scrypt');
  }

  /** What came out for that digest before; undefined when it has not been compared. */
  answer(tokens: readonly Token[], id: string): Token | 'none' | undefined {
    const token = this.#right.get(id);
    if (token !== undefined && tokens.includes(token)) return token;
    return this.#wrong.get(id);
  }

  /**
   * Compares what was sent with each of them.
   * @param id the digest of what was sent
   * @throws PmanError busy when too many are waiting
   */
  ask(tokens: readonly Token[], sent: string, id: string): Promise<Token | undefined> {
    if (this.#waiting >= MAX_WAITING) {
      throw new PmanError('busy', 'too many tokens are being looked at; try again later');
    }
    this.#waiting += 1;
    const generation = this.#generation;
    const work = this.#turn.then(async () => {
      const before = this.answer(tokens, id);
      if (before !== undefined) return before === 'none' ? undefined : before;
      let found: Token | undefined;
      for (const token of tokens) {
        const { value } = token;
        if (value.kind === 'scrypt' && (await matchesScrypt(sent, value))) found ??= token;
      }
      if (generation !== this.#generation) return found;
      if (found === undefined) keep(this.#wrong, id, 'none');
      else keep(this.#right, id, found);
      return found;
    });
    this.#turn = work.then(
      () => this.#done(),
      () => this.#done(),
    );
    return work;
  }

  /** The tokens have changed. */
  forget(): void {
    this.#generation += 1;
    this.#right.clear();
    this.#wrong.clear();
  }

  #done(): void {
    this.#waiting -= 1;
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
