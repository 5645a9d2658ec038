import type { Caller } from '../access/caller.ts';
import type { Door } from '../access/tokenStore.ts';
import type { UnpackLimits } from '../transfer/unpackLimits.ts';
import type { PagePolicy } from '../wire/foreignPage.ts';
import type { Places } from './places.ts';

/** What the server gives to every request. */
export interface Context {
  readonly places: Places;
  readonly createDirs: boolean;
  readonly door: Door;
  /** What web pages may ask. */
  readonly pages: PagePolicy;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal;
  /** Ends the server, after the answer. */
  readonly quit: () => void;
}

/** What is moved by a request. */
export interface Transfer {
  readonly what: 'push' | 'pull' | 'copy' | 'link';
  /** The file or folder of this machine. */
  readonly where: string;
  /** Of what was received; what is sent, and what is copied, is not counted here. */
  readonly bytes?: number;
}

/** What is known of one request: who sends it, and, for the audit log, what it turns out to ask for. */
export interface Asked {
  caller: Caller;
  action: string;
  /** What it names, as far as it has been read. */
  path: string | undefined;
}

/** What the server gives to one request. */
export interface RequestContext extends Context {
  readonly asked: Asked;
  /** Takes note of what is being transferred, for the log. */
  readonly note: (transfer: Transfer) => void;
  /**
   * Says what the request asks for.
   * @throws PmanError forbidden when its token is not good for that
   */
  readonly permit: (action: string, path?: string) => void;
}

/** What a request came to: something was moved or copied, or not. */
export type Handled = 'transfer' | 'message';
