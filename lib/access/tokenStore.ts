import { timingSafeEqual } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { messageOf, PmanError, systemErrorCode } from '../errors.ts';
import type { Logger } from '../log.ts';
import { ANYBODY, type Caller } from './caller.ts';
import { FollowedFile, versionOf } from './followedFile.ts';
import { Guesses } from './guesses.ts';
import { SlowHashes } from './slowHashes.ts';
import { readTokenText, requireTokens, type Token } from './tokenFile.ts';
import { tokenFileWarnings } from './tokenFileRights.ts';
import { STRONG_BITS, strengthOf } from './tokenStrength.ts';
import { digestOf } from './tokenValue.ts';

/** How many weak tokens a start warns of one by one. */
const MAX_WARNINGS = 5;

/** Tells who sends a request. */
export interface Door {
  /**
   * Who sends a request with this Authorization header. A promise where a slow hash has to be made first.
   * @param from the addresses that the client may have; see RequestHead.from
   * @throws PmanError unauthorized without a token that is good here; too_many_tries when too many were wrong
   */
  callerOf(
    authorization: string | undefined,
    from: () => readonly string[],
  ): Caller | Promise<Caller>;
  /** A text as it may be shown: without the tokens that are known in the clear. */
  mask(text: string): string;
  close(): void;
}

/** What stands for a token where text with one in it is shown. */
export const MASK = '***';

/**
 * A caller; where from is looked for when it is asked for. (A class: V8 keeps a description of its own, in its old space, of each
 * object whose getter is in a literal, and with it all that the getter can reach.)
 */
class LocatedCaller implements Caller {
  readonly name: Caller['name'];
  readonly grant: Caller['grant'];
  readonly revoked: Caller['revoked'];
  readonly secret: Caller['secret'];
  readonly #from: () => readonly string[];

  constructor(known: Omit<Caller, 'from'>, from: () => readonly string[]) {
    this.name = known.name;
    this.grant = known.grant;
    this.revoked = known.revoked;
    this.secret = known.secret;
    this.#from = from;
  }

  get from(): readonly string[] {
    return this.#from();
  }
}

/** Lets everybody in. */
export const OPEN_DOOR: Door = {
  callerOf: (_authorization, from) => new LocatedCaller(ANYBODY, from),
  mask: (text) => text,
  close: () => undefined,
};

interface Known extends Token {
  readonly revoked: AbortController;
}

/** The tokens of a file, as the file is now. A file that cannot be understood any more changes nothing. */
export class TokenStore implements Door {
  readonly #file: string;
  readonly #log: Logger;
  readonly #guesses: Guesses;
  readonly #slow = new SlowHashes();
  #tokens: readonly Known[];
  /** In the clear; the longest first: a token may hold a shorter one, and of what is left of it nothing is to be seen. */
  #shown: readonly string[] = [];
  #problem = '';
  readonly #followed: FollowedFile;

  private constructor(file: string, log: Logger, guesses: Guesses) {
    this.#file = file;
    this.#log = log;
    this.#guesses = guesses;
    const version = versionOf(file);
    const warnings = this.#rights();
    const text = readTokenText(file);
    this.#tokens = this.#read(text, []);
    for (const warning of [...warnings, ...warningsOf(this.#tokens)]) log.warn(warning);
    this.#followed = new FollowedFile(
      file,
      { text, version },
      {
        log,
        onText: (changed) => this.#reload(changed),
        onFault: (error) => this.#tell(error),
        onLook: () => this.#expire(),
      },
    );
  }

  /**
   * Reads the tokens and follows their file.
   * @throws UsageError when there are none, or others can write them
   */
  static open(path: string, log: Logger, guesses: Guesses = new Guesses()): TokenStore {
    return new TokenStore(resolve(path), log, guesses);
  }

  callerOf(
    authorization: string | undefined,
    from: () => readonly string[],
  ): Caller | Promise<Caller> {
    const sent = authorization?.trim().split(/\s+/).at(-1) ?? '';
    if (authorization === undefined || sent === '') {
      throw new PmanError('unauthorized', 'this server wants a token', { hint: HINT });
    }
    const digest = digestOf(sent);
    const isStrong = strengthOf(sent).bits >= STRONG_BITS;
    const found = this.#find(digest);
    // The usual case, without a look at the address.
    if (found !== undefined && isStrong) return callerFor(found, sent, from);
    const where = from();
    const id = digest.toString('hex');
    const slow = found === undefined ? this.#slow.answer(this.#tokens, id) : undefined;
    const known = found ?? this.#good(slow);
    if (known !== undefined && (isStrong || this.#guesses.hasProved(where, id))) {
      return callerFor(known, sent, from);
    }
    const waitMs = this.#guesses.waitMs(where);
    if (waitMs > 0) throw tooManyTries(waitMs);
    if (known === undefined && slow === undefined && this.#slow.areIn(this.#tokens)) {
      return this.#slow
        .ask(this.#tokens, sent, id)
        .then((token) => this.#decide(token, sent, id, where, from));
    }
    return this.#decide(known, sent, id, where, from);
  }

  #decide(
    token: Token | undefined,
    sent: string,
    id: string,
    where: readonly string[],
    from: () => readonly string[],
  ): Caller {
    const known = this.#good(token);
    if (known !== undefined) {
      this.#guesses.right(where, id);
      return callerFor(known, sent, from);
    }
    this.#guesses.wrong(where, id);
    throw new PmanError('unauthorized', 'the token is not known here', { hint: HINT });
  }

  /** The token, when it is one that is good now. */
  #good(token: Token | 'none' | undefined): Known | undefined {
    return this.#tokens.find((one) => one === token && isGood(one));
  }

  /** Every token is compared, so that the time taken tells nothing. */
  #find(digest: Buffer): Known | undefined {
    let found: Known | undefined;
    for (const token of this.#tokens) {
      const { value } = token;
      if (value.kind === 'digest' && timingSafeEqual(value.digest, digest)) found ??= token;
    }
    return found !== undefined && isGood(found) ? found : undefined;
  }

  mask(text: string): string {
    return this.#shown.reduce((shown, token) => shown.replaceAll(token, MASK), text);
  }

  close(): void {
    this.#followed.close();
  }

  /** @throws UsageError */
  #read(text: string, before: readonly Known[], mayBeEmpty = false): readonly Known[] {
    const tokens = requireTokens(text, this.#file, mayBeEmpty).map((token): Known => {
      const same = before.find((one) => sameToken(one, token));
      return same ?? { ...token, revoked: manyListeners(new AbortController()) };
    });
    this.#shown = tokens
      .flatMap(({ value }) => (value.kind === 'digest' && value.plain ? [value.plain] : []))
      .sort((a, b) => b.length - a.length);
    return tokens;
  }

  #rights(): readonly string[] {
    try {
      return tokenFileWarnings(this.#file);
    } catch (error) {
      // A file that is not there is told of by whoever reads it.
      if (systemErrorCode(error) === undefined) throw error;
      return [];
    }
  }

  #expire(): void {
    for (const token of this.#tokens) if (!isGood(token)) token.revoked.abort();
  }

  #reload(text: string): void {
    try {
      this.#rights();
      const before = this.#tokens;
      this.#tokens = this.#read(text, before, true);
      this.#slow.forget();
      for (const token of before) if (!this.#tokens.includes(token)) token.revoked.abort();
      this.#problem = '';
      this.#log.info('the tokens were read again', { count: this.#tokens.length });
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const problem = messageOf(error);
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#log.error('the tokens cannot be read again: those that were known stay', {
      reason: problem,
    });
  }
}

/** Each request that is under way listens. */
function manyListeners(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}

const HINT = 'send the header "Authorization: Bearer <token>"';

function callerFor(token: Known, sent: string, from: () => readonly string[]): Caller {
  const { name, grant, revoked, value } = token;
  const isSecret = value.kind === 'scrypt' || value.plain === undefined;
  const secret = isSecret ? sent : undefined;
  return new LocatedCaller({ name, grant, revoked: revoked.signal, secret }, from);
}

function isGood({ expiresAt }: Token): boolean {
  return expiresAt === undefined || Date.now() < expiresAt;
}

function tooManyTries(waitMs: number): PmanError {
  const seconds = Math.ceil(waitMs / 1000);
  return new PmanError('too_many_tries', 'too many wrong tokens came from this address', {
    hint: `try again in ${seconds} seconds`,
    retryAfterSeconds: seconds,
  });
}

/** Whether nothing has changed but where in the file it stands. */
function sameToken(a: Token, b: Token): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ name, value, grant, expiresAt }: Token): string {
  const limits = grant === undefined ? null : { ...grant, scopes: [...grant.scopes] };
  return JSON.stringify([name, value, limits, expiresAt ?? null]);
}

/** Of the tokens that can be guessed, as far as they stand there in the clear. */
function warningsOf(tokens: readonly Token[]): readonly string[] {
  const weak = tokens.flatMap(({ name, value }) => {
    if (value.kind !== 'digest' || value.plain === undefined) return [];
    const { bits, words } = strengthOf(value.plain);
    if (bits >= STRONG_BITS) return [];
    return [
      `the token ${name} can be guessed: about ${bits} bits at best (${words}), ` +
        `less than ${STRONG_BITS}; "pman token add" makes better ones`,
    ];
  });
  if (weak.length <= MAX_WARNINGS) return weak;
  return [...weak.slice(0, MAX_WARNINGS), `… and ${weak.length - MAX_WARNINGS} more such tokens`];
}
