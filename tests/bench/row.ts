import { appendFileSync } from 'node:fs';

/** One line of the table that `npm run bench` makes (tests/bench/all.ts). */
export interface Row {
  /** What is measured. */
  readonly what: string;
  /** The least that any program would need for it, measured in the same run. */
  readonly limit: string;
  /** What is wanted, in the unit of `measured`: `0.9`, `150 ms`. */
  readonly goal: string;
  /** What came out: a ratio to the limit, or an amount; best with how it was taken. */
  readonly measured: string;
  /** Processor time of ours beside the limit's, for each start, request or job: what other work changes least. */
  readonly processor?: string;
}

/** The variable that names the file which collects the rows of all benchmarks. */
export const ROWS_FILE = 'PMAN_BENCH_ROWS';

/** Says that a goal is missed. When all benchmarks run that is a figure like the others; alone it ends with 1. */
export function missed(what: string): void {
  console.log(`missed: ${what}`);
  if (process.env[ROWS_FILE] === undefined) process.exitCode = 1;
}

/** Says what a benchmark has measured, and puts it into the table when all benchmarks run. */
export function row(found: Row): void {
  const { what, limit, goal, measured, processor } = found;
  const used = processor === undefined ? '' : `; processor time ${processor}`;
  console.log(`${what}: ${measured} (limit: ${limit}; goal: ${goal})${used}`);
  const file = process.env[ROWS_FILE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(found)}\n`);
}
