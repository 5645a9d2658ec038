// The table in docs/containers.md of how the same jobs end on each engine, from what the tests in tests/contract have seen.
// Plain JavaScript without dependencies.
//
//   npm run same-jobs              see again, on the engines that are there, and write the table
//   node .ci/sameJobs.mjs          check that the table is what was seen
//   node .ci/sameJobs.mjs --write  write it
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const page = 'docs/containers.md';
const folder = 'tests/contract/ends';
const names = {
  swarm: 'swarm',
  docker: 'Docker Engine',
  podman: 'Podman',
  kubernetes: 'Kubernetes',
};

const seen = new Map(
  readdirSync(folder).map((file) => [
    file.replace('.json', ''),
    JSON.parse(readFileSync(join(folder, file), 'utf8')),
  ]),
);
// The engine in memory is one for tests.
const engines = Object.keys(names).filter((engine) => seen.has(engine));

/** One value when all engines agree, else each with its engines. */
function cell(job, read) {
  const engineOf = new Map();
  for (const engine of engines) {
    const end = seen.get(engine)[job];
    if (end === undefined) continue;
    const text = read(end);
    engineOf.set(text, [...(engineOf.get(text) ?? []), names[engine]]);
  }
  if (engineOf.size === 1) return [...engineOf.keys()][0];
  return [...engineOf].map(([text, of]) => `${of.join(', ')}: ${text || 'none'}`).join('<br>');
}

/** A cause without what only one engine says: that stands behind a colon. */
const words = ({ cause }) => cause.replace(/: .*/s, '');

const code = (text) => `\`${text}\``;
const jobs = [...new Set(engines.flatMap((engine) => Object.keys(seen.get(engine))))];
/** Podman tells of no process that ran out of memory but the first (docs/containers.md). */
const untold = { podman: ['has a process that takes more memory, and ends with 5 itself'] };
const different = jobs.filter(
  (job) =>
    new Set(
      engines
        .filter((engine) => !untold[engine]?.includes(job))
        .map((engine) => {
          const { status, exitCode, cause } = seen.get(engine)[job] ?? { cause: 'not seen' };
          return JSON.stringify([status, exitCode, words({ cause })]);
        }),
    ).size > 1,
);
if (different.length > 0) {
  console.error(`engines end these jobs differently: ${different.join('; ')}`);
  process.exitCode = 1;
}
const rows = jobs.map((job) => [
  job,
  cell(job, ({ status }) => code(status)),
  cell(job, ({ exitCode }) => String(exitCode ?? 'null')),
  cell(job, ({ cause }) => cause.replaceAll('|', '\\|')),
]);
const table = [
  ['a job that', 'status', 'exit code', 'cause'],
  ['---', '---', '---', '---'],
  ...rows,
]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');

const text = readFileSync(page, 'utf8');
const marks = /(<!-- same jobs -->\n)[\s\S]*(\n<!-- end of same jobs -->)/;
if (!marks.test(text)) throw new Error(`${page} has no place for the table`);
const wanted = text.replace(marks, (_, before, after) => `${before}\n${table}\n${after}`);
if (process.argv.includes('--write')) {
  writeFileSync(page, wanted);
} else if (wanted !== text) {
  console.error(
    `${page}: the table of the same jobs is not what was seen: node .ci/sameJobs.mjs --write`,
  );
  process.exitCode = 1;
}
