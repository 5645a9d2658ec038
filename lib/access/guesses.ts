import { isIPv6 } from 'node:net';

/** Wrong tokens that one address may send before it has to wait. */
const FREE_TRIES = 50;
/** After that it has one more every so often: a million take a year. */
const TRY_EVERY_MS = 32_000;
/** Addresses that are remembered, and proofs; the oldest is forgotten for a new one. */
const MAX_REMEMBERED = 10_000;

interface Tries {
  left: number;
  atMs: number;
  /** The last wrong token: to repeat it is no new guess. */
  last: string;
}

/**
 * Slows down who guesses tokens: counts wrong ones by address. Nobody waits in here: who has no tries left is refused
 * without a look at the token, and told when to come again. To hold back the answer would cost this server a connection
 * and a timer for each guess, and the guesser nothing.
 */
export class Guesses {
  readonly #now: () => number;
  readonly #tries = new Map<string, Tries>();
  /** Address and token that were right together. */
  readonly #proved = new Map<string, true>();

  /** @param now a clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * How long these addresses have to wait before another token is looked at, in milliseconds; 0: not at all.
   * @param from the addresses that a client may have; see RequestHead.from
   */
  waitMs(from: readonly string[]): number {
    return Math.min(...sources(from).map((source) => this.#waitOf(source)));
  }

  #waitOf(source: string): number {
    const tries = this.#tries.get(source);
    if (tries === undefined) return 0;
    this.#refill(tries);
    return tries.left >= 1 ? 0 : Math.ceil((1 - tries.left) * TRY_EVERY_MS);
  }

  /** Counts a wrong token. @param digest stands for the token */
  wrong(from: readonly string[], digest: string): void {
    for (const source of sources(from)) {
      const tries = this.#tries.get(source) ?? { left: FREE_TRIES, atMs: this.#now(), last: '' };
      this.#refill(tries);
      if (tries.last !== digest) tries.left = Math.max(0, tries.left - 1);
      tries.last = digest;
      remember(this.#tries, source, tries);
    }
  }

  /** The token was right: from there it is let in from now on, however many others guess from the same address. */
  right(from: readonly string[], digest: string): void {
    for (const source of sources(from)) remember(this.#proved, `${source} ${digest}`, true);
  }

  /** Whether the token has been right from there before. */
  hasProved(from: readonly string[], digest: string): boolean {
    return sources(from).some((source) => this.#proved.has(`${source} ${digest}`));
  }

  #refill(tries: Tries): void {
    const now = this.#now();
    tries.left = Math.min(FREE_TRIES, tries.left + (now - tries.atMs) / TRY_EVERY_MS);
    tries.atMs = now;
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

/** Clients without a known address are one. */
function sources(from: readonly string[]): readonly string[] {
  return from.length === 0 ? ['unknown'] : from.map(sourceOf);
}

/**
 * What an address is counted under. Of IPv6, the network of 64 bits: whoever has one address there has all of them
 * (RFC 4291, 2.5.1). An IPv4 address that is written as IPv6 is that address.
 */
export function sourceOf(address: string): string {
  const [plain = ''] = address.split('%');
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain) ?? [];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const pieces = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - pieces.length - rest.length;
  const whole = [...pieces, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...rest];
  const network = whole.slice(0, 4).map((piece) => Number.parseInt(piece || '0', 16).toString(16));
  return `${network.join(':')}::/64`;
}
