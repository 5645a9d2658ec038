import { keeperOf } from './keeper.ts';

/** What is kept in this browser. */
export const kept = keeperOf(() => localStorage);
