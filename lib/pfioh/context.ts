import type { UnpackLimits } from '../transfer/unpackLimits.ts';
import type { PagePolicy } from '../wire/foreignPage.ts';
import type { Places } from './places.ts';

/** What the server gives to every request. */
export interface Context {
  readonly places: Places;
  readonly createDirs: boolean;
  /** Undefined serves everybody. */
  readonly tokens: readonly string[] | undefined;
  /** What web pages may ask. */
  readonly pages: PagePolicy;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal;
  /** Ends the server, after the answer. */
  readonly quit: () => void;
  /** Takes note of what is being transferred, for the log. */
  readonly note: (transfer: Transfer) => void;
}

/** What is moved by a request. */
export interface Transfer {
  readonly what: 'push' | 'pull' | 'copy' | 'link';
  /** The file or folder of this machine. */
  readonly where: string;
  /** Of what was received; what is sent, and what is copied, is not counted here. */
  readonly bytes?: number;
}

/** What a request came to: something was moved or copied, or not. */
export type Handled = 'transfer' | 'message';
