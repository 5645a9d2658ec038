// Checks the shape of the program as .ci/rooms.mjs tells it: who may import whom, that no files import each other in a
// circle, and that no two files of one name are about different things. Plain JavaScript without dependencies.
//
//   npm run imports                 check
//   npm run imports -- --print      print the map of the rooms
//   npm run imports -- --write      put that map into docs/architecture.md
//
// Imports count whether they are of values or of types, at the start of a file or later.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { sameSubject, table, wrongArrows, wrongCircles, wrongNames } from './rooms.mjs';

const roots = ['bin', 'lib', 'crunner', 'swarm', 'openshift'];
const names = new Set(table.map(([room]) => room));
const files = roots
  .filter((root) => existsSync(root))
  .flatMap((root) => readdirSync(root, { recursive: true }).map((file) => join(root, file)))
  .filter((file) => /\.tsx?$/.test(file))
  .sort();
const knownCircles = wrongCircles.length;
const problems = [];

function roomOf(file) {
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder))
    if (names.has(folder) && (folder !== 'lib' || dirname(file) === 'lib')) return folder;
  throw new Error(`${file} is in no room: give its folder a row in .ci/rooms.mjs`);
}

/** The files that a file imports, for values or for types, at its start or later. */
function importsOf(file) {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(
    /(?:^|[;}]\s*)(?:import|export)\b[^;'"]*?\bfrom\s*'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'|^import\s*'(\.[^']+)'/gm,
  );
  return [...found].map((match) =>
    normalize(join(dirname(file), match[1] ?? match[2] ?? match[3])),
  );
}

const graph = new Map(
  files.map((file) => [file, importsOf(file).filter((to) => /\.tsx?$/.test(to))]),
);

// Arrows between rooms.
const height = new Map(table.map(([room], i) => [room, i]));
const arrows = new Map();
for (const [from, imported] of graph)
  for (const to of imported) {
    const [upper, lower] = [roomOf(from), roomOf(to)];
    if (upper === lower) continue;
    const arrow = `${upper} → ${lower}`;
    if (!arrows.has(arrow)) arrows.set(arrow, []);
    arrows.get(arrow).push({ from, to });
  }
for (const [room, , may] of table)
  for (const target of may) {
    if (target === '*') continue;
    const lower = target.endsWith('.ts') ? roomOf(target) : target;
    if (!names.has(lower)) problems.push(`the row of ${room} names ${target}, which is no room`);
    else if (height.get(lower) <= height.get(room))
      problems.push(`the row of ${room} names ${target}, which stands above it`);
  }
const wrong = new Map(wrongArrows.map(([from, to]) => [`${from} → ${to}`, false]));
for (const [arrow, uses] of arrows) {
  const [upper, lower] = arrow.split(' → ');
  const may = table[height.get(upper)][2];
  if (lower === 'lib' || may.includes('*') || may.includes(lower)) continue;
  const others = uses.filter(({ to }) => !may.includes(to));
  if (others.length === 0) continue;
  if (wrong.has(arrow)) wrong.set(arrow, true);
  else
    for (const { from, to } of others)
      problems.push(`${from} imports ${to}: ${upper} may not import ${lower}`);
}
for (const [arrow, isThere] of wrong)
  if (!isThere) problems.push(`"${arrow}" is gone: remove it from the wrong arrows`);

// Circles of files: a file that can be reached from itself.
const state = new Map();
function follow(file, path) {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    const circle = path.slice(path.indexOf(file));
    const known = wrongCircles.indexOf(circle.toSorted().join(' '));
    if (known >= 0) wrongCircles.splice(known, 1);
    else problems.push(`a circle of imports: ${[...circle, file].join(' → ')}`);
    return;
  }
  state.set(file, 'open');
  for (const to of graph.get(file) ?? []) follow(to, [...path, file]);
  state.set(file, 'done');
}
for (const file of files) follow(file, []);
for (const circle of wrongCircles)
  problems.push(`the circle "${circle}" is gone: remove it from the wrong circles`);

// Names.
const foldersOf = new Map();
for (const file of files) {
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (!foldersOf.has(name)) foldersOf.set(name, []);
  foldersOf.get(name).push(dirname(file));
}
for (const [name, folders] of foldersOf) {
  if (name === 'index.ts' || folders.length === 1) continue;
  const [, same = []] = sameSubject.find(([known]) => known === name) ?? [];
  const others = folders.filter((folder) => !same.includes(folder));
  if (others.length === 0 || wrongNames.includes(name)) continue;
  problems.push(
    `${name} is a name of several files (${folders.join(', ')}): name each by its own subject`,
  );
}
for (const name of wrongNames)
  if ((foldersOf.get(name) ?? []).length < 2)
    problems.push(`"${name}" is the name of one file: remove it from the wrong names`);
for (const [name, folders] of sameSubject)
  for (const folder of folders)
    if (!foldersOf.get(name)?.includes(folder))
      problems.push(`there is no ${folder}/${name}: remove it from the table of names`);

// The map of the rooms, which docs/architecture.md shows. Rooms of the table that nobody has made yet are left out.
const isThere = (target) => target === '*' || existsSync(target);
const shown = (target) => (target === '*' ? 'everything' : `\`${target.replace(/^lib\//, '')}\``);
const map = [
  '| room | holds | may import |',
  '| --- | --- | --- |',
  ...table
    .filter(([room]) => existsSync(room))
    .map(
      ([room, holds, may]) =>
        `| \`${room}/\` | ${holds} | ${may.filter(isThere).map(shown).join(', ') || 'nothing'} |`,
    ),
].join('\n');
const page = 'docs/architecture.md';
const [begin, end] = ['<!-- rooms -->\n\n', '\n\n<!-- end of rooms -->'];
const text = readFileSync(page, 'utf8');
const [at, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
if (process.argv.includes('--print')) {
  console.log(map);
  for (const [room] of table) {
    const reached = [...arrows.keys()].filter(
      (arrow) => arrow.startsWith(`${room} → `) && !arrow.endsWith(' → lib'),
    );
    if (reached.length > 0)
      console.log(
        `${room} → ${reached
          .map((arrow) => arrow.split(' → ')[1])
          .sort()
          .join(', ')}`,
      );
  }
} else if (process.argv.includes('--write')) {
  writeFileSync(page, text.slice(0, at) + map + text.slice(to));
} else if (text.slice(at, to) !== map) {
  problems.push(`${page} shows another map of the rooms: npm run imports -- --write`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  process.exitCode = 1;
} else {
  const known = wrongArrows.length + knownCircles + wrongNames.length;
  const rooms = new Set(files.map(roomOf)).size;
  const rest = known === 0 ? '' : `, but for ${known} exceptions that .ci/rooms.mjs names`;
  console.log(`${files.length} files in ${rooms} rooms: imports point one way${rest}`);
}
