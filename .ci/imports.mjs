// Checks the shape of the program: who may import whom, that no files import each other in a circle, and that no two
// files of one name are about different things. Plain JavaScript without dependencies.
//
//   npm run imports                 check
//   npm run imports -- --print      print the map of the rooms
//   npm run imports -- --write      put that map into docs/architecture.md
//
// The table below is the architecture. A room is a folder; the files of a folder without a row belong to the room above it.
// A room imports only rooms that stand below it in the table, and of these only those that its row names. So arrows point
// one way: what is low (records, the tree, the protocol) can be read, tested and used without what is high (actions, the
// server), and a new way to run jobs or to answer clients changes nothing below it.
// Every room may import the files of `lib` itself: errors, log, version and the like; they import no room.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const contract = 'lib/jobs/container/engine.ts';
const data = ['lib/records', 'lib/tree', 'lib/wire', 'lib/host', 'lib/concurrency'];

/** Room, what it holds, and what it may import: rooms, or single files of rooms. From the top to the bottom. */
const table = [
  ['bin', 'a file for each program: flags, wiring, signals', ['*']],
  [
    'lib/server',
    'from a request to its reply: token, listeners, verbs, dispatch, the reply',
    [
      'lib/fileio',
      'lib/gateway',
      'lib/dialects',
      'lib/actions',
      'lib/jobs/container',
      'lib/jobs/host',
      'lib/jobs',
      'lib/config',
      ...data,
    ],
  ],
  [
    'lib/fileio',
    'the directive file, the periodic save, a pfioh beside pman',
    ['lib/actions', 'lib/pfioh', 'lib/wire', 'lib/host'],
  ],
  [
    'lib/gateway',
    "the raw ZeroMQ ROUTER, a stream for each connection, Node's HTTP parser on top; native ZeroMQ messages",
    ['lib/host'],
  ],
  [
    'lib/actions',
    'a verb a file: the schema of its `meta`, and what it does; `index.ts` is the table',
    ['lib/dialects', 'lib/jobs', ...data],
  ],
  [
    'lib/dialects',
    "how a job's state and outputs are told to clients: the original's words for each kind of job",
    ['lib/jobs', 'lib/records', 'lib/tree', 'lib/wire'],
  ],
  ['swarm/cli', 'the program `swarm`', ['swarm', 'lib/config', 'lib/host', 'lib/wire']],
  [
    'swarm',
    'two engines for container jobs: a docker swarm, and a Docker Engine or Podman without one; manager images',
    [contract, 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'openshift',
    'an engine for container jobs: Kubernetes',
    [contract, 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'lib/jobs/container',
    'jobs in containers, whatever runs them; `engine.ts` is the contract that each engine fulfils',
    ['lib/jobs', ...data],
  ],
  [
    'lib/jobs/host',
    'jobs of this host: their spool folders, the runner that starts them, the poller that records what it tells',
    ['lib/jobs', 'crunner/detached', 'crunner/ssh', 'crunner/command', ...data],
  ],
  ['lib/jobs', 'what is true of every job: the interface of runners, retention, removal', data],
  [
    'lib/records',
    'the database: records, cache, index, and the way to the disk',
    ['lib/tree', 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'lib/tree',
    'nodes and leaves, lookup by path, their folders and files',
    ['lib/wire', 'lib/host'],
  ],
  [
    'lib/purl',
    'the client: messages, files and folders over HTTP',
    ['lib/transfer', 'lib/config', 'lib/wire', 'lib/host'],
  ],
  [
    'lib/pfioh',
    'the file server: push, pull, copy',
    ['lib/transfer', 'lib/config', 'lib/wire', 'lib/host'],
  ],
  [
    'lib/transfer',
    'what purl and pfioh share: archives, checksums, base64, safe names, half-done transfers',
    ['lib/wire', 'lib/host'],
  ],
  [
    'lib/config',
    'the settings of each program: one table gives flags, environment, file and help',
    ['lib/wire', 'lib/host'],
  ],
  ['crunner', 'the library `pman/crunner`', ['crunner/attached', 'crunner/ssh']],
  [
    'crunner/cli',
    'the program `crunner`: flags, prints, exit codes, job control on a terminal',
    ['crunner/attached', 'crunner/ssh', 'crunner/command', 'lib/host'],
  ],
  [
    'crunner/detached',
    'the runner: a process that starts the parts of jobs and outlives pman; the spool folder of a job',
    ['crunner/ssh', 'crunner/command', 'lib/host', 'lib/wire'],
  ],
  [
    'crunner/attached',
    'a command that lives and ends with its caller, with its output as it comes',
    ['crunner/ssh', 'crunner/command', 'lib/host'],
  ],
  ['crunner/ssh', 'a command on another host, by the ssh client', ['crunner/command', 'lib/host']],
  ['crunner/command', 'splitting command lines', []],
  ['lib/host', 'facts about this host: processes, folders, clocks, addresses', ['lib/wire']],
  [
    'lib/wire',
    "the protocol: JSON without loss, the envelope of requests, replies as Python's",
    [],
  ],
  ['lib/concurrency', 'at most N at once; one call for many callers', []],
  ['lib', 'errors, log, version and the like, for every room', []],
];

// What is wrong today and must go. What is gone must go from these lists as well.
/** Arrows: from, to, and how it goes. */
const wrongArrows = [
  ['lib/actions', 'lib/jobs/container', 'ask the interface of jobs'],
  ['lib/actions', 'lib/jobs/host', 'ask the interface of jobs'],
  ['lib/actions', 'crunner/detached', "a job's limits belong to lib/jobs"],
  ['lib/config', 'lib/jobs/host', 'the type of a setting belongs to lib/config'],
  ['lib/config', 'lib/jobs', 'the type of a setting belongs to lib/config'],
  ['lib/jobs', 'lib/jobs/container', 'ask the interface of jobs'],
  ['lib/jobs', 'lib/jobs/host', 'ask the interface of jobs'],
  [
    'lib/jobs/container',
    'crunner/detached',
    'requests to end a job, and time limits, belong to lib/jobs',
  ],
  ['lib/records', 'lib/jobs', 'progress and summary of a record belong to lib/records'],
  ['lib/records', 'crunner/detached', 'the path of a socket belongs to lib/host'],
  ['lib/host', 'crunner/detached', 'the type of a process belongs to lib/host'],
  ['crunner/ssh', 'crunner/detached', "a job's limits belong to a lower room"],
  ['crunner/ssh', 'crunner/attached', 'ending a process group belongs to lib/host'],
];
/** Files that import each other, in the order of the alphabet. */
const wrongCircles = ['lib/gateway/connection.ts lib/gateway/http.ts'];
/** Names that several files have for different things. */
const wrongNames = [
  ...['connection.ts', 'hello.ts', 'http.ts', 'limits.ts', 'progress.ts', 'reply.ts', 'request.ts'],
  ...['run.ts', 'spool.ts', 'tokens.ts', 'writer.ts'],
];

/** Names that several files have for one subject: the name, the files, and why. */
const sameSubject = [
  ['pman.ts', ['bin', 'lib/config'], 'a program and its settings'],
  ['pfioh.ts', ['bin', 'lib/config'], 'a program and its settings'],
  ['purl.ts', ['bin', 'lib/config'], 'a program and its settings'],
  ['push.ts', ['lib/pfioh', 'lib/purl'], 'the two ends of a push'],
  ['pull.ts', ['lib/pfioh', 'lib/purl'], 'the two ends of a pull'],
  ['server.ts', ['lib/server', 'lib/pfioh'], 'a server, put together and started'],
  ['flags.ts', ['lib/config', 'crunner/cli', 'swarm/cli'], 'the flags of a program'],
];

const roots = ['bin', 'lib', 'crunner', 'swarm', 'openshift'];
const names = new Set(table.map(([room]) => room));
const files = roots
  .filter((root) => existsSync(root))
  .flatMap((root) => readdirSync(root, { recursive: true }).map((file) => join(root, file)))
  .filter((file) => file.endsWith('.ts'))
  .sort();
const problems = [];

function roomOf(file) {
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder))
    if (names.has(folder)) return folder;
  throw new Error(`${file} is in no room: give its folder a row in .ci/imports.mjs`);
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
  files.map((file) => [file, importsOf(file).filter((to) => to.endsWith('.ts'))]),
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

// The map of the rooms, which docs/architecture.md shows.
const shown = (target) => (target === '*' ? 'everything' : `\`${target.replace(/^lib\//, '')}\``);
const map = [
  '| room | holds | may import |',
  '| --- | --- | --- |',
  ...table
    .filter(([room]) => existsSync(room))
    .map(
      ([room, holds, may]) =>
        `| \`${room}/\` | ${holds} | ${may.map(shown).join(', ') || 'nothing'} |`,
    ),
].join('\n');
const page = 'docs/architecture.md';
const [begin, end] = ['<!-- rooms -->\n', '\n<!-- end of rooms -->'];
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
if (problems.length > 0) process.exitCode = 1;
else
  console.log(
    `${files.length} files in ${new Set(files.map(roomOf)).size} rooms: imports point one way`,
  );
