import type { UnpackLimits } from '../transfer/unpackLimits.ts';
import type { Places } from './places.ts';

/** What the server gives to every request. */
export interface Context {
  readonly places: Places;
  readonly createDirs: boolean;
  /** Undefined serves everybody. */
  readonly tokens: readonly string[] | undefined;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal;
  /** Ends the server, after the answer. */
  readonly quit: () => void;
}

/** What a request came to: something was moved or copied, or not. */
export type Handled = 'transfer' | 'message';
