import type { PartOutputs } from '../jobs/outputPieces.ts';
import type { IndexedLine } from './lineIndex.ts';
import type { Found } from './lineSearch.ts';
import type { Wanted } from './pattern.ts';

/** What the threads are asked, and what they answer. */

export interface ReadOrder {
  readonly do: 'read';
  /** Names the job; its index is kept under it. */
  readonly key: string;
  readonly parts: readonly PartOutputs[];
  /** The first line that is wanted, from 1 on; below 1: so many before the end (0: the end itself). */
  readonly from: number;
  readonly count: number;
  /** How much is told of a line, in bytes. */
  readonly lineBytes: number;
  /** For how long more of the output may be taken in, in milliseconds. */
  readonly sliceMs: number;
}

export interface LinesRead {
  readonly lines: readonly IndexedLine[];
  /** Those that may still grow. */
  readonly open: readonly IndexedLine[];
  /** How many lines, and how many bytes, are known. */
  readonly total: number;
  readonly bytes: number;
  /** Whether that is all there is now. */
  readonly isWhole: boolean;
}

export interface SearchOrder {
  readonly do: 'search';
  readonly parts: readonly PartOutputs[];
  /** undefined: any text. */
  readonly wanted: Wanted | undefined;
  /** undefined: both outputs. */
  readonly stream: 'stdout' | 'stderr' | undefined;
  readonly from: number;
  readonly limit: number;
  /** For how long it may go on, in milliseconds. */
  readonly limitMs: number;
}

export type LineOrder = ReadOrder | SearchOrder;

export interface Asked {
  readonly number: number;
  readonly order: LineOrder;
}

export type Answered = { readonly number: number } & (
  | { readonly answer: LinesRead | Found }
  | { readonly error: string }
);
