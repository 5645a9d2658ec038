// The architecture: the rooms of the program, and who may import whom; .ci/imports.mjs checks it.
//
// A room is a folder; the files of a folder without a row belong to the room above it. A room imports only rooms that
// stand below it in the table, and of these only those that its row names. So arrows point one way: what is low (records,
// the tree, the protocol) can be read, tested and used without what is high (actions, the server), and a new way to run
// jobs or to answer clients changes nothing below it. Every room may import the files of `lib` itself: errors, log,
// version and the like; they import no room.

const contract = [
  'lib/jobs/container/engine.ts',
  'lib/jobs/container/words.ts',
  'lib/jobs/causeWords.ts',
];
const data = ['lib/records', 'lib/tree', 'lib/wire', 'lib/host', 'lib/concurrency'];

/** Room, what it holds, and what it may import: rooms, or single files of rooms. From the top to the bottom. */
export const table = [
  ['bin', 'a file for each program: flags, wiring, signals', ['*']],
  [
    'lib/modules',
    'a file for each module that programs import: settings and logger as they give them, the parts wired',
    ['*'],
  ],
  [
    'lib/manual',
    'the manual pages and the command line reference, made of the tables of the programs',
    ['lib/verbs', 'lib/config', 'crunner/cli', 'swarm/cli'],
  ],
  [
    'lib/verbs',
    'the verbs of the program pman, such as `pman ls`: clients of the server, but for `pman token`; `index.ts` is the table',
    [
      ...['lib/client', 'lib/terminal', 'lib/purl', 'lib/access', 'lib/config', 'lib/wire'],
      'lib/jobs/filePatterns.ts',
    ],
  ],
  [
    'lib/server',
    'from a request to its reply: token, listeners, verbs, dispatch, the reply',
    [
      'lib/fileio',
      'lib/gateway',
      'lib/page',
      'lib/dialects',
      'lib/actions',
      'lib/metrics',
      'lib/webhooks',
      'lib/events',
      'lib/lines',
      'lib/jobs/container',
      'lib/jobs/host',
      'lib/jobs',
      'lib/config',
      'lib/access',
      ...data,
    ],
  ],
  [
    'lib/fileio',
    'the directive file, the periodic save, a pfioh beside pman',
    ['lib/actions', 'lib/pfioh', 'lib/access', 'lib/wire', 'lib/host'],
  ],
  [
    'lib/gateway',
    "the raw ZeroMQ ROUTER, a stream for each connection, Node's HTTP parser on top; native ZeroMQ messages",
    ['lib/host', 'lib/concurrency'],
  ],
  [
    'lib/actions',
    'a verb a file: the schema of its `meta`, and what it does; `index.ts` is the table',
    ['lib/dialects', 'lib/webhooks', 'lib/events', 'lib/lines', 'lib/jobs', 'lib/access', ...data],
  ],
  [
    'lib/page',
    'the files of the page for browsers: which one stands at which path, and what the page asks for first',
    ['lib/page/browser'],
  ],
  [
    'lib/page/browser',
    'the page itself, as it runs in a browser: preact, and of pman the client alone',
    ['lib/client', 'lib/dialects'],
  ],
  [
    'lib/client',
    'the library `pman/client`, for Node and browsers: no package, and of the other rooms types alone',
    ['lib/dialects'],
  ],
  [
    'lib/dialects',
    "how a job's state and outputs are told to clients: the original's words for each kind of job, and `/api/v2`",
    [
      'lib/webhooks',
      'lib/events',
      'lib/lines',
      'lib/jobs',
      'lib/transfer',
      'lib/access',
      'crunner/job',
      ...data,
    ],
  ],
  [
    'lib/lines',
    "the lines of jobs' outputs: an index of where they begin, reading and finding them, in threads of their own",
    ['lib/jobs', 'crunner/detached', ...data],
  ],
  [
    'lib/metrics',
    'figures for operators: what is counted as it happens, and how /metrics tells it',
    ['lib/webhooks', 'lib/events', ...contract, 'lib/jobs', 'crunner/job', ...data],
  ],
  [
    'lib/webhooks',
    'who is told of jobs by signed requests: where these may go, what is to be sent, what came of it',
    ['lib/events', 'lib/jobs', 'lib/access', ...data],
  ],
  [
    'lib/events',
    'what happens to jobs, in order: the log of it, and how changes of records become events',
    ['lib/jobs', 'crunner/job', ...data],
  ],
  [
    'swarm/cli',
    'the program `swarm`',
    ['swarm', ...contract, 'lib/config', 'lib/host', 'lib/wire'],
  ],
  [
    'swarm',
    'two engines for container jobs: a docker swarm, and a Docker Engine or Podman without one; manager images',
    [...contract, 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'openshift',
    'an engine for container jobs: Kubernetes',
    [...contract, 'lib/config', 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'lib/jobs/container',
    'jobs in containers, whatever runs them; `engine.ts` is the contract that each engine fulfils',
    ['lib/jobs', 'crunner/job', ...data],
  ],
  [
    'lib/jobs/host',
    'jobs of this host: their spool folders, the runner that starts them, the poller that records what it tells',
    ['lib/jobs', 'crunner/detached', 'crunner/ssh', 'crunner/command', 'crunner/job', ...data],
  ],
  [
    'lib/jobs',
    'what is true of every job: the interface of runners, retention, removal',
    ['crunner/job', ...data],
  ],
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
    ['lib/transfer', 'lib/terminal', 'lib/config', 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'lib/pfioh',
    'the file server: push, pull, copy',
    ['lib/transfer', 'lib/config', 'lib/access', 'lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'lib/transfer',
    'what purl and pfioh share: archives, checksums, base64, safe names, half-done transfers',
    ['lib/wire', 'lib/host', 'lib/concurrency'],
  ],
  [
    'lib/access',
    'who is let in, and what a token allows: tokens, scopes, guesses, the audit log',
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
    ['crunner/ssh', 'crunner/command', 'crunner/job', 'lib/host', 'lib/concurrency', 'lib/wire'],
  ],
  [
    'crunner/attached',
    'a command that lives and ends with its caller, with its output as it comes',
    ['crunner/ssh', 'crunner/command', 'lib/host'],
  ],
  [
    'crunner/ssh',
    'a command on another host, by the ssh client',
    ['crunner/command', 'crunner/job', 'lib/host'],
  ],
  ['crunner/command', 'splitting command lines', []],
  ['crunner/job', 'what a job may take, an order to end it, its time limit', ['lib/host']],
  ['lib/host', 'facts about this host: processes, folders, clocks, addresses', ['lib/wire']],
  [
    'lib/terminal',
    'what people see on a terminal: tables, widths, colours, amounts, lines that change; it reads and writes nothing',
    [],
  ],
  [
    'lib/wire',
    "the protocol: JSON without loss, the envelope of requests, replies as Python's",
    ['lib/concurrency'],
  ],
  ['lib/concurrency', 'at most N at once; one call for many callers; turns for others', []],
  ['lib', 'errors, log, version and the like, for every room', []],
];

// What is wrong today and must go. What is gone must go from these lists as well.
/** Arrows: from, to, and how it goes. */
export const wrongArrows = [];
/** Files that import each other, in the order of the alphabet. */
export const wrongCircles = [];
/** Names that several files have for different things. */
export const wrongNames = [];

/** Names that several files have for one subject: the name, the files, and why. */
export const sameSubject = [
  ['pman.ts', ['bin', 'lib/config'], 'a program and its settings'],
  ['pfioh.ts', ['bin', 'lib/config'], 'a program and its settings'],
  ['purl.ts', ['bin', 'lib/config'], 'a program and its settings'],
  ['run.ts', ['lib/actions', 'lib/verbs'], 'an order, and the verb that gives it'],
  ['kill.ts', ['lib/actions', 'lib/verbs'], 'an order, and the verb that gives it'],
  ['rerun.ts', ['lib/dialects/v2', 'lib/verbs'], 'an order, and the verb that gives it'],
  ['jobText.ts', ['lib/dialects/v2', 'lib/verbs'], 'a job as text: as JSON, and in words'],
  [
    'deeds.ts',
    ['lib/page/browser', 'lib/verbs'],
    'what is done to jobs, by the page and by a verb',
  ],
  ['flags.ts', ['lib/config', 'crunner/cli', 'swarm/cli'], 'the flags of a program'],
];
