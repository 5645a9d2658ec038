import type { PartEnd, PartStart } from './journal.ts';

/** What a runner tells about its jobs. Whatever it says is in the spool folder already. */
export type RunnerEvent =
  | {
      readonly kind: 'start';
      readonly folder: string;
      readonly part: number;
      readonly start: PartStart;
    }
  | { readonly kind: 'end'; readonly folder: string; readonly part: number; readonly end: PartEnd };
