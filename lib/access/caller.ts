/** What a token may be good for. */
export const SCOPES = ['read', 'run', 'kill', 'transfer', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What a token with limits allows. A list that is there names all that is allowed of its kind. */
export interface Grant {
  readonly scopes: ReadonlySet<Scope>;
  /** Who the token acts as; it sees the jobs of nobody else. */
  readonly auid?: string;
  readonly commands?: readonly string[];
  readonly images?: readonly string[];
  readonly mounts?: readonly string[];
  readonly shareDirs?: readonly string[];
}

/** Who has sent a request, as far as the token tells. */
export interface Caller {
  /** Of the token; undefined where no token is asked for. */
  readonly name: string | undefined;
  /** Undefined: everything is allowed. */
  readonly grant: Grant | undefined;
  /** The addresses that it may come from: more than one when that is not certain, none when it is not known. */
  readonly from: readonly string[];
  /** Aborted when the token is no longer good. */
  readonly revoked?: AbortSignal | undefined;
  /** The token as it was sent, where the file has only a hash: it must not be shown. */
  readonly secret?: string | undefined;
}

/** Whoever needs no token: this host's own orders, and everybody where tokens are off. */
export const ANYBODY: Caller = { name: undefined, grant: undefined, from: [] };

/** Somebody without a token, where one is asked for: only what every token may do is open to him. */
export const STRANGER: Caller = { name: undefined, grant: { scopes: new Set() }, from: [] };
