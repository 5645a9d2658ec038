import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineMissing } from '../helpers/docker.ts';
import { kubernetesMissing } from '../helpers/kubernetes.ts';
import { machine } from './programs.ts';
import { ROWS_FILE, type Row } from './row.ts';

/**
 * Runs the benchmarks one after the other, prints one table of what they say by `row`, and writes it into
 * docs/performance.md. A part of them is printed only. One whose engine is missing is left out, and named.
 * Usage: npm run bench [-- <benchmark>...]
 */
interface Benchmark {
  readonly name: string;
  /** Of the file of this name; default: `name`. */
  readonly file?: string;
  readonly words?: readonly string[];
  /** How long it may take, in seconds: many times what it takes on a machine that does nothing else. */
  readonly limit: number;
  /** Why it cannot be run here. */
  readonly missing?: () => string | undefined;
}

const BENCHMARKS: readonly Benchmark[] = [
  { name: 'start', limit: 600 },
  { name: 'verbs', limit: 300 },
  { name: 'http', limit: 600 },
  { name: 'api', limit: 600 },
  { name: 'jobs', limit: 900 },
  { name: 'ends', limit: 300 },
  { name: 'history', words: ['100', '10000'], limit: 600 },
  // A large file as it is, and many small ones: the other forms are for `npm run bench:transfer`.
  { name: 'transfer', words: ['1024', '20000', 'MiB none$|files zip none$'], limit: 900 },
  ...['docker', 'swarm'].map((engine) => ({
    ...{ name: `containers-${engine}`, file: 'containers', words: [engine, '100', '3'] },
    ...{ limit: 900, missing: engineMissing },
  })),
  { name: 'kubernetes', words: ['2', '30'], limit: 900, missing: kubernetesMissing },
  { name: 'soak', words: ['3'], limit: 600 },
];
const PAGE = join(import.meta.dirname, '../../docs/performance.md');
const [BEGIN, END] = ['<!-- bench -->', '<!-- end of bench -->'];
/** timeout(1) ends with it when it has ended the program. */
const TOO_LONG = 124;
/** How long a benchmark has to end then before it is killed, in seconds. */
const GRACE = 10;

const asked = process.argv.slice(2);
const unknown = asked.filter((word) => !BENCHMARKS.some(({ name }) => name === word));
if (unknown.length > 0) {
  const names = BENCHMARKS.map(({ name }) => name).join(', ');
  throw new Error(`there is no benchmark ${unknown.join(', ')}: there are ${names}`);
}
const folder = mkdtempSync(join(tmpdir(), 'pman-rows-'));
const rowsFile = join(folder, 'rows.jsonl');
writeFileSync(rowsFile, '');
const failed: string[] = [];
const leftOut: string[] = [];
try {
  for (const benchmark of BENCHMARKS) {
    if (asked.length > 0 && !asked.includes(benchmark.name)) continue;
    const missing = benchmark.missing?.();
    if (missing !== undefined) leftOut.push(`${benchmark.name} (${missing})`);
    else run(benchmark);
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

function run({ name, file = name, words = [], limit }: Benchmark): void {
  console.log(`== ${[name, ...words].join(' ')}`);
  const program = [...process.execArgv, join(import.meta.dirname, `${file}.ts`), ...words];
  // It ends the programs of the benchmark as well, which are of the same group.
  const timeout = [`--kill-after=${GRACE}`, String(limit), process.execPath, ...program];
  const { status } = spawnSync('timeout', timeout, {
    stdio: 'inherit',
    env: { ...process.env, [ROWS_FILE]: rowsFile },
  });
  if (status === TOO_LONG) failed.push(`${name} (not done after ${limit} s)`);
  else if (status !== 0) failed.push(name);
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
    ...(leftOut.length > 0 ? ['', 'Left out:', ...leftOut.map((one) => `- ${one}`)] : []),
  ].join('\n');
}

function write(table: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place between ${BEGIN} and ${END}`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`);
}
