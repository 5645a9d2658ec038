import type { PmanClient } from '../../client/index.ts';
import type { Row } from './rowList.ts';
import type { Counted } from './stateCounts.ts';

/** What the server tells of the list. */
export interface RowPage extends Counted {
  readonly jobs: readonly Row[];
  readonly next: string | null;
}

export interface JobRowsOptions {
  readonly client: () => Pick<PmanClient, 'jobPage'>;
  /** Whether rows may change their places now: nobody points at one or has chosen one. */
  readonly mayMove: () => boolean;
  readonly onChange: () => void;
  /** The time of the server, in milliseconds since 1970; default: that of this computer. */
  readonly now?: () => number;
  /** Calls back later; default: a timer. Tests have their own. */
  readonly later?: (act: () => void, ms: number) => void;
}

/** How a first page is loaded. */
export interface LoadOptions {
  /** Whether nothing of what has been loaded before may stay. */
  readonly anew?: boolean;
  /** Whether the counts alone are asked for where rows further down the list of the same filter are loaded. */
  readonly mayStay?: boolean;
}
