import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from './programs.ts';
import { ROWS_FILE, type Row } from './row.ts';

/**
 * Runs the benchmarks one after the other, prints one table of what they say by `row`, and writes it into
 * docs/performance.md. A part of them is printed only.
 * Usage: npm run bench [-- <benchmark>...]
 */
const BENCHMARKS = ['start', 'http', 'api', 'jobs', 'transfer'] as const;
const PAGE = join(import.meta.dirname, '../../docs/performance.md');
const [BEGIN, END] = ['<!-- bench -->', '<!-- end of bench -->'];

const asked = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'pman-rows-'));
const rowsFile = join(folder, 'rows.jsonl');
writeFileSync(rowsFile, '');
const failed: string[] = [];
try {
  for (const name of asked.length > 0 ? asked : BENCHMARKS) {
    console.log(`== ${name}`);
    const file = join(import.meta.dirname, `${name}.ts`);
    const { status } = spawnSync(process.execPath, [...process.execArgv, file], {
      stdio: 'inherit',
      env: { ...process.env, [ROWS_FILE]: rowsFile },
    });
    if (status !== 0) failed.push(name);
  }
  const table = tableOf(readRows());
  console.log(`\n${table}`);
  if (asked.length === 0 && failed.length === 0) write(table);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failed.length > 0) {
  console.error(`these failed, so that docs/performance.md is as it was: ${failed.join(', ')}`);
  process.exitCode = 1;
}

function readRows(): readonly Row[] {
  const lines = readFileSync(rowsFile, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row); // `row` has written it
}

function tableOf(rows: readonly Row[]): string {
  return [
    `${machine()}.`,
    '',
    '| | limit | goal | measured | processor time of ours and of the limit |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ what, limit, goal, measured, processor = '' }) =>
        `| ${what} | ${limit} | ${goal} | ${measured} | ${processor} |`,
    ),
  ].join('\n');
}

function write(table: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place between ${BEGIN} and ${END}`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`);
}
